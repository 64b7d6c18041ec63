#!/bin/sh
# The agent's account. Everybody else's comes at run time, through /var/lib/extrausers.
set -eu
groupadd -g 2000 ml
groupadd -g 2001 data
groupadd -g 1000 agent
useradd -u 1000 -g agent -G ml,data -M -d /home/agent -s /bin/bash -c "automation" agent
chage -d "$(date -d '44 days ago' +%F)" agent
sed -i -E 's/^(passwd|group|shadow):.*/\1:         files extrausers/' /etc/nsswitch.conf
mkdir -p /var/lib/extrausers
: >/var/lib/extrausers/passwd
: >/var/lib/extrausers/group
: >/var/lib/extrausers/shadow
chgrp shadow /var/lib/extrausers/shadow
chmod 640 /var/lib/extrausers/shadow
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/subuid- /etc/subgid-
