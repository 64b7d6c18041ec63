#!/bin/sh
# Takes a service of this node down: asks it to end, and ends it if it has not after ten seconds.
set -u
name=${1:?usage: ${0##*/} NAME}
pid_file=@RUN@/$name.pid
pid=$(cat "$pid_file" 2>/dev/null) || { echo "$name: no pid file" >&2; exit 3; }

kill -TERM "$pid" 2>/dev/null
i=0
while kill -0 "$pid" 2>/dev/null; do
  i=$((i + 1))
  if [ $i -gt 20 ]; then
    kill -KILL "$pid"
    break
  fi
  sleep 0.5
done
rm -f "$pid_file"
echo "$name: down"
