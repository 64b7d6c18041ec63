#!/bin/sh
# Gives what was just made the times of a node image made some weeks ago and touched since, instead of this minute's.
set -eu

# The distribution's part: made in one go, over some minutes of one working day.
made=$(( ($(date +%s) / 86400 - 45) * 86400 + 37020 ))
find / -xdev -newermt '3 days ago' \( -path /proc -o -path /sys -o -path /dev -o -path /mnt \) -prune -o \
  -newermt '3 days ago' -print | python3 -c '
import os, sys, zlib
made = int(sys.argv[1])
for path in sys.stdin.read().splitlines():
    moment = made + zlib.crc32(os.path.dirname(path).encode()) % 840
    try:
        os.utime(path, (moment, moment), follow_symlinks=False)
    except OSError:
        pass  # /etc/hosts and its like are mounts
' "$made"

# The node's own files: each when somebody last had a reason to touch it (days ago, time of day).
while read -r days clock path; do
  touch -h -d "$(date -d "$days days ago" +%F) $clock" "$path"
done <<'TIMES'
44 15:12:09 /etc/profile.d/nodekit.sh
31 10:47:51 /etc/skel/.bashrc
44 15:12:40 /etc/skel/.vimrc
203 16:20:33 /opt/nodekit/README
96 11:05:17 /opt/nodekit/CHANGES
203 16:22:02 /opt/nodekit/bin/stalefiles
96 10:58:41 /opt/nodekit/bin/pullq
131 09:36:24 /opt/nodekit/bin/sumcheck
171 17:41:08 /opt/nodekit/bin/volumes
131 09:33:59 /opt/nodekit/lib/common.sh
44 14:50:27 /etc/tmux.conf
58 13:29:46 /etc/logrotate.d/site
96 11:05:17 /opt/nodekit
96 10:58:41 /opt/nodekit/bin
131 09:33:59 /opt/nodekit/lib
203 16:20:33 /opt
TIMES
