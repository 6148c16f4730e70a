/**
 * The output of `cowherd --help`. A plain text, since loading the parser would double the time. A test compares its
 * commands with the parser's.
 */
export const HELP = `\
Usage: cowherd COMMAND [options]

A prefork application server for Python whose workers keep sharing the memory of the application.

Commands:
  serve     serve an application; takes every argument of gunicorn
  demo      serve the bundled Django application under load, and show what its workers share
  status    how a running herd is: every process, its requests and its memory
  list      the herds that run, with application, address and folder
  stop      stop a running herd after its requests in flight, and wait until it is gone
  reload    new code and new settings, without a dropped request
  rollback  back to the generation before the last reload
  refork    make a warmed worker the mold of the next generation
  scale     change the number of workers
  history   what each reload, refork, rollback and stop did to the host
  why       what unshared the pages of a prefork server's workers, and what to do
  heal      have the kernel merge memory again that workers have copied for nothing
  record    record the copies of shared pages as they happen, with stacks
  settings  every setting that serve takes
  doctor    what this machine and this project can do: interpreters, gunicorn, kernel

Options:
  -h, --help  print this help
  --version   print the version

Examples:
  cowherd serve myproject.wsgi --workers 8       what "gunicorn myproject.wsgi --workers 8" was
  cowherd serve myapp:app -k asgi -c gunicorn.conf.py --warmup "GET /"
  cowherd status --watch                         the herd, and what each worker still shares
  cowherd list                                   which herds run, and in which folders
  cowherd stop                                   requests in flight are finished
  cowherd doctor                                 what this machine and this project can do
  cowherd demo                                   a Django site under load, beside a stock herd

cowherd COMMAND --help tells more. Documentation: README.md and docs/.
`;
