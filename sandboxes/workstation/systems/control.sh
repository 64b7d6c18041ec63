#!/bin/sh
# @PRODUCT@: status, reload (after a change of rules or configuration), restart (after a change of the program)
set -u
pid_file=@PID_FILE@
pid=$(cat "$pid_file" 2>/dev/null || true)

runs() {
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

case "${1:-}" in
  status)
    if runs; then
      echo "@PRODUCT@ runs, pid $pid"
    else
      echo "@PRODUCT@ does not run"
      exit 3
    fi
    ;;
  reload)
    runs || { echo "@PRODUCT@ does not run" >&2; exit 3; }
    kill -HUP "$pid"
    ;;
  restart)
    if runs; then
      kill -TERM "$pid"
      i=0
      while runs && [ $i -lt 50 ]; do
        sleep 0.1
        i=$((i + 1))
      done
    fi
    setsid @COMMAND@ </dev/null >>@OUT@ 2>&1 &
    ;;
  *)
    echo "usage: ${0##*/} status|reload|restart" >&2
    exit 2
    ;;
esac
