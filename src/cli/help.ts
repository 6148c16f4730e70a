/**
 * The output of `cowherd --help`. A plain text, since loading the parser would double the time. A test compares its
 * commands with the parser's.
 */
export const HELP = `\
Usage: cowherd COMMAND [options]

A prefork application server for Python whose workers keep sharing the memory of the application.

Commands:
  serve       serve an application; takes every option of gunicorn
  demo        serve the bundled Django application under load, and show what its workers share
  status      show a running herd: every process, its requests and its memory
  list        list running herds, with application, address and folder
  stop        finish the requests in flight, stop the herd, and wait until it is gone
  reload      load new code and new settings, without dropping a request
  rollback    go back to the generation before the last reload
  refork      make a warmed worker the mold of the next generation
  scale       change the number of workers
  history     what each reload, refork, rollback and stop did to the host
  why         show what unshared the pages of a prefork server's workers, and what to do
  heal        have the kernel merge memory that workers copied but that is still identical
  record      record copies of shared pages as they happen, with stacks
  settings    list every setting of serve
  doctor      show what this machine and this project support: interpreters, gunicorn, kernel
  completion  print the completions of commands and options for bash, zsh or fish

Options:
  -h, --help  print this help
  --version   print the version

Examples:
  cowherd serve myproject.wsgi --workers 8       replaces "gunicorn myproject.wsgi --workers 8"
  cowherd serve myapp:app -k asgi -c gunicorn.conf.py --warmup "GET /"
  cowherd status --watch                         the herd, and what each worker still shares
  cowherd list                                   running herds and their folders
  cowherd stop                                   finishes requests in flight first
  cowherd doctor                                 interpreters, gunicorn and kernel, with advice
  cowherd demo                                   a Django site under load, beside a stock herd

cowherd COMMAND --help shows more. Documentation: README.md and docs/.
`;
