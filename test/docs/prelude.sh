# Read by bash before the blocks of a page. Functions stand for what a person does beside a command: opens a second
# terminal for a server that runs in the foreground, and ends what shows something again and again.
set -eEo pipefail
shopt -s expand_aliases
at='the beginning'
trap 'echo "FAILED with status $?: $BASH_COMMAND ($at)" >&2' ERR

server=
end_server() {
  [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null || true; wait "$server" || true; }
  server=
}

# until_logged LOG PATTERN PID: waits for a line of a server that lives.
until_logged() {
  until grep -q "$2" "$1"; do
    kill -0 "$3" 2>/dev/null || { cat "$1" >&2; return 1; }
    command sleep 0.1
  done
}

# in_terminal PATTERN COMMAND...: runs a server until the next one is started.
in_terminal() {
  local pattern=$1 log
  shift
  end_server
  log=$(mktemp)
  command "$@" >"$log" 2>&1 &
  server=$!
  until_logged "$log" "$pattern" "$server"
}

# beside PATTERN COMMAND...: runs a server until the end of the page.
beside() {
  local pattern=$1 log
  shift
  log=$(mktemp)
  command "$@" >"$log" 2>&1 &
  until_logged "$log" "$pattern" $!
}

READY='Serving: every worker is ready'
# run_cowherd PROGRAM ARGUMENT...: all that takes a number of seconds takes two.
run_cowherd() {
  local words=() word before=
  for word in "$@"; do
    [ "$before" = --seconds ] && word=2
    words+=("$word")
    before=$word
  done
  set -- "${words[@]}"
  case " ${*:2} " in
    *' --watch '* | *' --follow '*) timeout 3 "$@" || [ $? = 124 ] ;;
    ' demo ') timeout --signal INT 15 "$@" || [ $? = 124 ] ;;
    ' serve '*' -D '* | ' serve '*' --daemon '*)
      end_server
      command "$@"
      ;;
    ' serve '*' --check-config '* | ' serve '*' --help '*) command "$@" ;;
    ' serve '*) in_terminal "$READY" "$@" ;;
    *) command "$@" ;;
  esac
}
cowherd() { run_cowherd cowherd "$@"; }
.venv/bin/cowherd() { run_cowherd /srv/shop/.venv/bin/cowherd "$@"; }
/root/.local/bin/cowherd() { run_cowherd /root/.local/bin/cowherd "$@"; }
gunicorn() { in_terminal 'Booting worker' gunicorn "$@"; }
# TERM would only reload it.
uwsgi() { in_terminal 'spawned uWSGI worker 1' uwsgi "$@" --die-on-term; }
caddy() {
  case $1 in
    run) beside 'serving initial configuration' caddy "$@" ;;
    *) command caddy "$@" ;;
  esac
}
uvx() {
  case " $* " in
    *' serve '*) in_terminal "$READY" uvx "$@" ;;
    *) command uvx "$@" ;;
  esac
}
# Nothing here takes long because it has to.
sleep() { command sleep 1; }

WITHOUT=${PATH#/srv/shop/.venv/bin:}
# activate, deactivate: the environment of the project, as its scripts do.
activate() { export VIRTUAL_ENV=/srv/shop/.venv PATH=/srv/shop/.venv/bin:$WITHOUT; hash -r; }
deactivate() { unset VIRTUAL_ENV; export PATH=$WITHOUT; hash -r; }
cd /srv/shop
