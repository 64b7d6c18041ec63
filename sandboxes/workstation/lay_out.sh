#!/bin/sh
# Lays the node's own files over the distribution's, and points what differs from site to site below /var, where it can
# be filled in although the root is read-only. Argument: the folder with the files.
set -eu
cp -r --no-preserve=all "$1"/. /
chmod 755 /opt/nodekit/bin/*

# Site configuration, rendered when the node starts.
site=/var/lib/nodecfg
mkdir -p $site
ln -sfn $site/motd /etc/motd
ln -sfn $site/sources.list /etc/apt/sources.list
ln -sfn $site/pip.conf /etc/pip.conf
ln -sfn $site/crontab /etc/cron.d/site
ln -sfn $site/profile.sh /etc/profile.d/site.sh

# Trust: one bundle for curl, wget, git (which read ca-certificates.crt) and for OpenSSL and Python (cert.pem). A site's
# own CA is appended to the bundle and put beside it as corporate-proxy.crt.
trust=/var/lib/ca-certificates
mkdir -p $trust /usr/local/share/ca-certificates
mv /etc/ssl/certs/ca-certificates.crt $trust/ca-bundle.crt
ln -s $trust/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt
ln -sfn /etc/ssl/certs/ca-certificates.crt /usr/lib/ssl/cert.pem
ln -sfn $trust/corporate-proxy.crt /usr/local/share/ca-certificates/corporate-proxy.crt
ln -sfn /usr/local/share/ca-certificates/corporate-proxy.crt /etc/ssl/certs/corporate-proxy.pem

# The packages' records belong to the read-only image, as image-based systems have them. Below /var, Docker would copy
# their thousand files into every episode's volume, which took longer than all else that starts a workstation.
mkdir -p /usr/lib/sysimage
mv /var/lib/dpkg /usr/lib/sysimage/dpkg
ln -s ../../usr/lib/sysimage/dpkg /var/lib/dpkg

mkdir -p /home/agent /srv /data /var/mail
cp -r /etc/skel/. /home/agent
chown -R agent:agent /home/agent
chmod 750 /home/agent
chmod 1777 /tmp /var/tmp
