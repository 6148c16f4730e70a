/** What `cowherd serve --help` prints. gunicorn's own options are gunicorn's to describe. */
export const SERVE_HELP = `Usage: cowherd serve [options] APP_MODULE

Serves a WSGI or ASGI application with gunicorn's own workers, forked from one mold, so that they
keep sharing the application's memory. Takes every option of gunicorn, GUNICORN_CMD_ARGS and
gunicorn.conf.py: \`cowherd settings\` lists them all.

Cowherd's own options:
  --python PATH            the interpreter; else $VIRTUAL_ENV, else .venv in the project, else the
                           newest one found
  --runtime-dir DIR        where the control socket and the counters are
  --log-format text|json   readable lines (on a terminal) or JSON (otherwise)

Cowherd's own settings, which may also stand in gunicorn.conf.py:
  --policy POLICY          heap_policy: auto (default), immortal, freeze, instagram, stock
  --warmup REQUEST         warmup: a request played in the mold, such as "GET /"; repeatable
  --health REQUEST         health: what a new generation must answer well before it gets traffic
  --gc-guard MODE          gc_guard: hold (default), report, off
  --collect-after OBJECTS  collect_after: young objects that set off a collection after a response
  --allow-threads          allow_threads: threads left running are meant to be so; no warning, no refusal
  --strict                 strict: what the look for fork safety finds is an error, not a warning
  --sampling-budget PCT    sampling_budget: percent of one core for reading memory (default 1)
  --recycle-private SIZE   recycle_private: replace a worker with more private memory, such as 200M;
                           also --recycle-pss, --recycle-rss, --recycle-samples, --recycle-age,
                           --recycle-age-jitter (docs/recycling.md)
  --refork-after REQUESTS  refork_after: refork when a worker has answered so many, such as 50,500,5000
  --refork-by-benefit      refork_by_benefit: refork when it wins a tenth of the memory (docs/refork-rules.md)
  --herd-memory SIZE       herd_memory: of the whole herd; auto: by the limit of the cgroup
  --heal                   heal: have the kernel merge what workers copied for nothing (docs/heal.md)
  --perf-names             perf_names: name Python's functions for perf and record (docs/record.md)
  --exit-when-hopeless     exit_when_hopeless: end when all workers die before any was ever ready
  --boot-timeout SECONDS   boot_timeout: how long a worker may take to be ready

Some of gunicorn's options:
  -b, --bind ADDRESS       HOST:PORT or unix:PATH; repeatable
  -w, --workers N          how many workers
  -k, --worker-class CLASS sync, gthread, asgi, gevent, uvicorn_worker.UvicornWorker
  --threads N, --timeout SECONDS, --graceful-timeout SECONDS, -c CONFIG, -D, -p FILE, ...

Signals: TERM and the first INT finish requests; QUIT and a second INT are fast; HUP reloads; USR2
reforks; TTIN and TTOU add and take a worker; USR1 reopens log files.

Examples:
  cowherd serve myproject.wsgi --workers 8
  cowherd serve myproject.wsgi -c gunicorn.conf.py --warmup "GET /" --bind unix:/run/app.sock
  cowherd serve myapp:app -k asgi --policy freeze --python .venv/bin/python
`;
