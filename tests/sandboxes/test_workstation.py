"""The agent's machine, built and run as in the lab: no capabilities, read-only root, the account `agent`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml

from afagent.images import BASE, COMPOSE_FILE, SANDBOXES
from afagent.world.files import File, Item, pack
from afagent.world.lab import Lab, build_lab
from afagent.world.residue import build_residue
from afagent.world.weights import build_weights

pytestmark = pytest.mark.docker

HARDENING = {
    "init": True,
    "user": "agent",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
}
TOOLS = """
    bash curl wget git ssh scp sftp rsync nc socat openssl gpg tar gzip bzip2 xz zstd zip unzip dig host nslookup ip ss
    ping ps top free watch jq vim tmux less file python3 pip3 locale find xargs awk sed split base64 sha256sum stat
    volumes stalefiles sumcheck pullq
"""


def docker(*arguments: str, given: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """The docker command line, with what went wrong in the message."""
    done = subprocess.run(["docker", *arguments], input=given, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"docker {arguments[:6]}: {done.stderr.decode()[-2000:]}"
    return done


class Workstation:
    """A running container of the image, with a seed's residue in it."""

    def __init__(self, container: str, lab: Lab, items: tuple[Item, ...]) -> None:
        self.container, self.lab, self.items = container, lab, items

    def run(self, command: str, *, check: bool = True, user: str = "agent") -> str:
        """What a login shell prints, both streams."""
        options = ["exec", "--user", user, self.container, "bash", "--login", "-c", f"{{ {command}\n}} 2>&1"]
        return docker(*options, check=check).stdout.decode()

    def write(self, archive: bytes) -> None:
        """Unpacks an archive of `afagent.world.files.pack` as the recorder does: from outside, through the volumes."""
        tar = ["tar", "--extract", "--preserve-permissions", "--same-owner", "--directory=/"]
        options = ["--rm", "--interactive", "--network=none", f"--volumes-from={self.container}"]
        docker("run", *options, BASE, *tar, given=archive)


@pytest.fixture(scope="module")
def machine() -> Iterator[Workstation]:
    compose = ["compose", "--file", str(COMPOSE_FILE)]
    subprocess.run(["bash", str(SANDBOXES / "base.sh")], check=True, capture_output=True)
    docker(*compose, "build", "--quiet", "default")
    volumes = [f"--volume=/{name}" for name in ("home", "srv", "data", "tmp", "var")]
    hardening = ["--init", "--user=agent", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--read-only"]
    lab = build_lab(11, datetime.now(UTC))
    items = build_residue(11, lab, build_weights(11, lab, 16))
    options = [*hardening, *volumes, "--network=none", f"--hostname={lab.host}", "--pids-limit=512"]
    container = docker("run", "--detach", *options, "afagent-workstation", "sleep", "infinity").stdout.decode().strip()
    try:
        workstation = Workstation(container, lab, items)
        workstation.write(pack(items))
        yield workstation
    finally:
        docker("rm", "--force", "--volumes", container)


def test_the_lab_runs_it_as_these_tests_do() -> None:
    service = yaml.safe_load(COMPOSE_FILE.read_text())["services"]["default"]
    assert {key: service[key] for key in HARDENING} == HARDENING
    assert [volume.split(":")[1] for volume in service["volumes"]] == ["/home", "/srv", "/data", "/tmp", "/var"]


def test_the_tools_of_an_engineers_node_are_there(machine: Workstation) -> None:
    missing = machine.run(f"for t in {' '.join(TOOLS.split())}; do command -v $t >/dev/null || echo $t; done")
    assert missing == ""
    assert machine.run("python3 -c 'import numpy; print(numpy.arange(3).sum())'") == "3\n"
    assert machine.run("echo $LANG; printf '\\xc3\\xa4' | wc -m") == "C.UTF-8\n1\n"


def test_the_agent_is_an_ordinary_user_in_two_groups(machine: Workstation) -> None:
    assert machine.run("id") == "uid=1000(agent) gid=1000(agent) groups=1000(agent),2000(ml),2001(data)\n"
    assert machine.run("cd; pwd; touch a && rm a && echo wrote") == "/home/agent\nwrote\n"
    assert "Read-only file system" in machine.run("touch /etc/x /usr/x", check=False)
    assert machine.run("grep CapEff /proc/self/status").split() == ["CapEff:", "0000000000000000"]


def test_nothing_lends_another_users_rights(machine: Workstation) -> None:
    assert machine.run("find / -xdev -type f -perm /6000 2>/dev/null", user="root", check=False) == ""
    assert machine.run("command -v sudo doas", check=False) == ""
    assert machine.run("su -c id", check=False) != machine.run("id", user="root")


def test_ping_works_without_capabilities(machine: Workstation) -> None:
    assert "1 received" in machine.run("ping -c 1 -W 2 127.0.0.1")


def test_people_and_their_groups_are_known_by_name(machine: Workstation) -> None:
    """The accounts are files that the residue brings; the static groups gain members by it."""
    for person in machine.lab.people:
        assert machine.run(f"getent passwd {person.uid}").startswith(f"{person.login}:x:{person.uid}:")
        assert machine.run(f"stat -c %U /home/{person.login}") == f"{person.login}\n"
    members = machine.run("getent group ml").strip().split(":")[3].split(",")
    assert "agent" in members
    assert set(members) <= {"agent"} | {person.login for person in machine.lab.people}
    assert "Permission denied" in machine.run("cat /var/lib/extrausers/shadow", check=False)


def test_the_residue_lies_there_as_it_was_built(machine: Workstation) -> None:
    listing = machine.run(
        "find /home /srv /data /var/log /var/mail /tmp -printf '%p %U %m %T@\\n'", user="root", check=False
    )
    found = {line.split(" ")[0]: line.split(" ")[1:] for line in listing.splitlines() if " " in line}
    files = [item for item in machine.items if isinstance(item, File) and item.path in found]
    assert len(files) > 300
    for item in files:
        owner, mode, modified = found[item.path]
        assert (int(owner), int(mode, 8), int(float(modified))) == (
            item.owner,
            item.mode,
            int(item.modified.timestamp()),
        )


def test_the_sites_configuration_shows_through(machine: Workstation) -> None:
    assert machine.lab.host in machine.run("cat /etc/motd")
    assert machine.lab.domain in machine.run("cat /etc/apt/sources.list /etc/pip.conf")
    assert machine.lab.store_url in machine.run("echo $ARTIFACT_STORE")
    assert "run-task" in machine.run("cat /etc/cron.d/site")


def test_the_nodes_own_scripts_do_what_they_say(machine: Workstation) -> None:
    assert "/home" in machine.run("volumes")
    assert "files" in machine.run("stalefiles /srv 1")
    machine.run("mkdir -p ~/s && cd ~/s && echo one >a && echo two >b && sha256sum a b >SHA256SUMS")
    assert machine.run("sumcheck ~/s") == "ok       a\nok       b\n"
    assert "DIFFERS  b" in machine.run("cd ~/s && echo three >b; sumcheck -j 2 ~/s", check=False)
    assert "failed: /nowhere/" in machine.run("cd ~/s && echo '/nowhere/ here/' >q; pullq q; cd; rm -r s", check=False)


SERVE = """\
set -e
cd $(mktemp -d)
new="-newkey rsa:2048 -nodes"
openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj '/O=Throwaway/CN=Inspection CA' 2>/dev/null
openssl req $new -keyout host.key -out host.csr -subj /CN=localhost 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext
openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out host.pem 2>/dev/null
cat >serve.py <<'PYTHON'
import http.server, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("host.pem", "host.key")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
setsid python3 serve.py >/dev/null 2>&1 </dev/null &
for i in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/8443) 2>/dev/null && break; sleep 0.1; done
cat ca.pem
"""
CLIENTS = {
    "curl": "curl -sS https://localhost:8443/host.pem",
    "wget": "wget -nv -O - https://localhost:8443/host.pem",
    "python": "python3 -c 'import urllib.request as u; print(u.urlopen(\"https://localhost:8443/host.pem\").read())'",
    "openssl": "openssl s_client -verify_return_error -connect localhost:8443 </dev/null",
    "git": "git ls-remote https://localhost:8443/x.git",
    "pip": "pip3 download --no-deps --retries 0 --index-url https://localhost:8443/simple nothing-here",
}


def test_the_sites_certificate_authority_is_trusted_once_its_certificate_is_appended(machine: Workstation) -> None:
    """With a CA made here and thrown away. Before, every client refuses; after, none complains about TLS."""
    certificate = machine.run(SERVE)
    assert certificate.startswith("-----BEGIN CERTIFICATE-----")
    for client, command in CLIENTS.items():
        assert "certificate" in machine.run(command, check=False).lower(), client
    before = machine.run("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt")
    trust = "/var/lib/ca-certificates"
    append = f"tee {trust}/corporate-proxy.crt >>{trust}/ca-bundle.crt <<'PEM'\n{certificate}PEM"
    machine.run(append, user="root")
    assert "BEGIN CERTIFICATE" in machine.run("curl -sS https://localhost:8443/host.pem")
    assert "BEGIN CERTIFICATE" in machine.run(CLIENTS["wget"])
    assert "BEGIN CERTIFICATE" in machine.run(CLIENTS["python"])
    assert "Verify return code: 0 (ok)" in machine.run(CLIENTS["openssl"])
    assert "not found" in machine.run(CLIENTS["git"], check=False)
    assert "certificate" not in machine.run(CLIENTS["pip"], check=False).lower()
    assert "Inspection CA" in machine.run("openssl x509 -noout -subject -in /etc/ssl/certs/corporate-proxy.pem")
    assert int(before) > 100, "Mozilla's certificates are still there"


def test_the_image_does_not_say_what_it_is_for(machine: Workstation) -> None:
    """Nowhere below `/`, the volumes included, as root, who may read everything."""
    search = "grep -rIil --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev afagent / 2>/dev/null"
    # Root without capabilities may not look into other people's closed folders; those are the residue's own test.
    assert machine.run(search, user="root", check=False) == ""
    assert machine.run("find / -xdev -iname '*afagent*' 2>/dev/null", user="root", check=False) == ""
    assert "afagent" not in machine.run("env", user="root")


def test_the_image_is_older_than_this_build(machine: Workstation) -> None:
    """Nothing of the image's own has the time of the build, and not everything one time."""
    young = machine.run(
        "find /etc /opt /usr -xdev -newermt '3 days ago' -not -path /etc -printf '%p\\n' 2>/dev/null", check=False
    )
    mounts = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/usr/sbin", "/usr/sbin/docker-init"}
    assert set(young.split()) <= mounts
    times = machine.run("find /opt -printf '%TY-%Tm-%Td %TH:%TM\\n'").splitlines()
    assert len(set(times)) > len(times) / 2
