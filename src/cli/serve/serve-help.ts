import { OWN_SETTINGS_HELP } from './own-settings-help.ts';

/** The output of `cowherd serve --help`. The descriptions of gunicorn's options are left to gunicorn. */
export const SERVE_HELP = `Usage: cowherd serve [options] APP_MODULE

Serves a WSGI or ASGI application with gunicorn's own workers, forked from one mold, so that they
keep sharing the application's memory. Takes every option of gunicorn, GUNICORN_CMD_ARGS and
gunicorn.conf.py: \`cowherd settings\` lists them all.

Cowherd's own options:
  --python PATH            the interpreter (default: of the virtual environment that Cowherd is
                           installed into, else $VIRTUAL_ENV, else .venv in the project, else the
                           newest one found)
  --runtime-dir DIR        folder of the control socket and herd.json
  --log-format text|json   readable lines (on a terminal) or JSON (otherwise)

Cowherd's own settings, which also work in gunicorn.conf.py:
${OWN_SETTINGS_HELP}

Some of gunicorn's options:
  -b, --bind ADDRESS       HOST:PORT or unix:PATH; repeatable
  -w, --workers N          how many workers
  -k, --worker-class CLASS sync, gthread, asgi, gevent, uvicorn_worker.UvicornWorker
  --threads N, --timeout SECONDS, --graceful-timeout SECONDS, -c CONFIG, -D, -p FILE, ...

Signals: TERM and the first INT stop after the requests in flight; QUIT and a second INT stop at
once; HUP reloads; USR2 reforks; TTIN and TTOU add and remove a worker; USR1 reopens log files.

Examples:
  cowherd serve myproject.wsgi --workers 8
  cowherd serve myproject.wsgi -c gunicorn.conf.py --warmup "GET /" --bind unix:/run/app.sock
  cowherd serve myapp:app -k asgi --policy freeze --python .venv/bin/python
`;
