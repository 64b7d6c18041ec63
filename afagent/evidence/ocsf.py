"""Events and findings as records of the Open Cybersecurity Schema Framework, for the tools of a security team.

What has a class of its own there gets it; every other fact of the witness comes as a Base Event that carries it whole,
so that nothing is left out. Attributes and their requirements are those of the published classes of `VERSION`
(ocsf/ocsf-schema); `tests/evidence/test_ocsf.py` checks each record against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from afagent import __version__
from afagent.evidence.findings import ATLAS_VERSION, ATTACK_VERSION, Effect, Finding, Stage, as_data
from afagent.evidence.transcript import Step
from afagent.sandboxes.recorder.events import (
    AssetState,
    Closed,
    Content,
    DirectoryListed,
    Event,
    Fact,
    FileDeleted,
    FileMoved,
    FileRead,
    FileWritten,
    Lookup,
    Opened,
    Request,
    as_record,
)

VERSION = "1.8.0"
BASE, FILE, PROCESS, FINDING, NETWORK, HTTP, DNS = 0, 1001, 1007, 2004, 4001, 4002, 4003
RELATED_EVENTS = 100
"""At most so many events are named in a finding's record; jsonl has all."""

_INFORMATIONAL, _LOW, _MEDIUM, _HIGH, _CRITICAL = 1, 2, 3, 4, 5
_SEVERITY = {
    Stage.NONE: _LOW,
    Stage.RECON: _LOW,
    Stage.ACCESS: _MEDIUM,
    Stage.STAGED: _HIGH,
    Stage.ATTEMPTED: _CRITICAL,
    Stage.DELIVERED: _CRITICAL,
}
_SEVERITY_OF_ACT = {Effect.ATTEMPTED: _HIGH, Effect.SUCCEEDED: _CRITICAL}
_CONFIDENCE = {"proven": 3, "strong": 2, "suspected": 1}
_OTHER, _OUTBOUND = 99, 2
_CREATE, _READ, _UPDATE, _DELETE, _RENAME, _SET_ATTRIBUTES, _OPEN_FILE = 1, 2, 3, 4, 5, 6, 14
_REGULAR_FILE, _FOLDER, _LINK = 1, 2, 7
_OPEN, _CLOSE, _TRAFFIC, _LAUNCH = 1, 2, 6, 1
_STATE_ACTIVITIES = {
    "appeared": _CREATE,
    "written": _UPDATE,
    "added": _UPDATE,
    "rewritten": _UPDATE,
    "gone": _DELETE,
    "attributes": _SET_ATTRIBUTES,
}
_FILE_TYPES = {"file": _REGULAR_FILE, "link": _LINK}
_SHA256 = 3
_METHODS = {
    "CONNECT": 1,
    "DELETE": 2,
    "GET": 3,
    "HEAD": 4,
    "OPTIONS": 5,
    "POST": 6,
    "PUT": 7,
    "TRACE": 8,
    "PATCH": 9,
}
_PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "udplite": 136}

Record = dict[str, Any]


@dataclass(frozen=True)
class _Body:
    """What is particular to a record."""

    class_uid: int
    activity: int
    attributes: Mapping[str, Any]


class Writer:
    """Writes the records of one episode.

    Args:
        uid: names the episode among all.
        host: what the workstation takes itself for.
    """

    def __init__(self, uid: str, host: str) -> None:
        self._uid = uid
        self._device = {"hostname": host or "workstation", "type_id": _OTHER, "type": "container"}
        self._from = {"hostname": self._device["hostname"]}

    def event(self, event: Event) -> Record:
        """An event of the witness."""
        describe = _DESCRIBE.get(type(event.fact))
        unmapped = as_record(event)
        body = _Body(BASE, _OTHER, {"activity_name": event.fact.KIND}) if describe is None else describe(event.fact)
        return self._record(body, f"E{event.seq}", event.time) | {"unmapped": unmapped["data"]}

    def step(self, step: Step) -> Record:
        """A call of a tool by the model: the one kind of process whose start is told from inside."""
        process = {"uid": f"M{step.message}", "name": step.tool, "cmd_line": step.text}
        return self._record(
            _Body(PROCESS, _LAUNCH, {"process": process}), f"M{step.message}/{step.message_id}", step.started or 0.0
        )

    def finding(self, number: int, finding: Finding) -> Record:
        """What events mean in the scenario."""
        related = [{"uid": f"{self._uid}/E{seq}"} for seq in finding.events[:RELATED_EVENTS]]
        attacks = [_attack(technique, ATTACK_VERSION) for technique in finding.attack]
        attacks += [_attack(technique, ATLAS_VERSION) for technique in finding.atlas]
        info = {
            "uid": f"{self._uid}/F{number}",
            "title": finding.summary,
            "types": [f"{finding.asset}: {finding.rung}"],
            **({"related_events": related, "related_events_count": len(finding.events)} if related else {}),
            **({"attacks": attacks} if attacks else {}),
        }
        attributes = {
            "finding_info": info,
            "confidence_id": _CONFIDENCE[finding.strength],
            "is_alert": not finding.sanctioned,
            "evidences": [{"data": as_data(finding)}],
            "message": finding.summary,
        }
        severity = _INFORMATIONAL if finding.sanctioned else _severity(finding)
        return self._record(_Body(FINDING, _CREATE, attributes), f"F{number}", finding.when, severity)

    def problem(self, number: int, sentence: str, time: float) -> Record:
        """Why the evidence is not whole: an alert of its own, since without it silence would look like innocence."""
        info = {"uid": f"{self._uid}/P{number}", "title": "The evidence is not whole", "desc": sentence}
        attributes = {"finding_info": info, "is_alert": True, "message": sentence}
        return self._record(_Body(FINDING, _CREATE, attributes), f"P{number}", time, _HIGH)

    def _record(self, body: _Body, uid: str, time: float, severity: int = _INFORMATIONAL) -> Record:
        category = body.class_uid // 1000
        where: Record = {}
        if category == FILE // 1000:
            where = {"actor": {"user": {"name": "agent"}}, "device": self._device}
        elif category == NETWORK // 1000:
            where = {"src_endpoint": self._from}
        return {
            "class_uid": body.class_uid,
            "category_uid": category,
            "activity_id": body.activity,
            "type_uid": body.class_uid * 100 + body.activity,
            "severity_id": severity,
            "time": round(time * 1000),
            "metadata": {
                "version": VERSION,
                "product": {"name": "afagent", "vendor_name": "afagent", "version": __version__},
                "log_name": "witness",
                "uid": f"{self._uid}/{uid}",
                "correlation_uid": self._uid,
            },
            **where,
            **body.attributes,
        }


def _severity(finding: Finding) -> int:
    usual = _SEVERITY[finding.stage] if finding.effect is None else _SEVERITY_OF_ACT[finding.effect]
    return min(usual, _MEDIUM) if finding.strength == "suspected" else usual


def _attack(technique: str, version: str) -> Record:
    parent, _, sub = technique.partition(".")
    # In ATLAS both a technique and a part of one have a point in their number.
    if technique.startswith("AML") or not sub:
        return {"technique": {"uid": technique}, "version": version}
    return {"technique": {"uid": parent}, "sub_technique": {"uid": technique}, "version": version}


# --- facts with a class of their own ----------------------------------------------------------------------------------


def _file(path: str, type_id: int = _REGULAR_FILE, **more: Any) -> Record:
    return {"name": path.rstrip("/").rpartition("/")[2] or path, "path": path, "type_id": type_id, **more}


def _endpoint(address: str | None, port: int | None, name: str | None) -> Record:
    where = {"ip": address, "hostname": name} if address or name else {"name": "unknown"}
    return {key: value for key, value in {**where, "port": port}.items() if value}


def _connection(flow: int, transport: str | None) -> Record:
    number = _PROTOCOL_NUMBERS.get(transport or "")
    return {
        "direction_id": _OUTBOUND,
        "uid": str(flow),
        **({"protocol_name": transport} if transport else {}),
        **({"protocol_num": number} if number is not None else {}),
    }


def _link(flow: int, to: Content | Opened | Closed, transport: str | None) -> Record:
    return {
        "dst_endpoint": _endpoint(to.address, to.port, to.name),
        "connection_info": _connection(flow, transport),
    }


def _of_read(fact: FileRead) -> _Body:
    return _Body(FILE, _READ, {"file": _file(fact.path), "count": max(fact.reads, 1)})


def _of_listed(fact: DirectoryListed) -> _Body:
    return _Body(FILE, _OPEN_FILE, {"file": _file(fact.path, _FOLDER)})


def _of_written(fact: FileWritten) -> _Body:
    return _Body(FILE, _UPDATE, {"file": _file(fact.path, size=fact.size)})


def _of_moved(fact: FileMoved) -> _Body:
    # A side outside the watched places is empty; the other one names the file.
    moved = {"file": _file(fact.source or fact.target)}
    return _Body(FILE, _RENAME, moved | ({"file_result": _file(fact.target)} if fact.target else {}))


def _of_deleted(fact: FileDeleted) -> _Body:
    return _Body(FILE, _DELETE, {"file": _file(fact.path)})


def _of_state(fact: AssetState) -> _Body:
    activity = _STATE_ACTIVITIES.get(fact.how, _OTHER)
    hashes = [{"algorithm_id": _SHA256, "algorithm": "SHA-256", "value": fact.sha256}]
    about = {
        "size": fact.size,
        "modified_time": round(fact.modified * 1000),
        "owner": {"uid": str(fact.owner)},
        **({"hashes": hashes} if fact.sha256 else {}),
    }
    file = _file(fact.path, _FILE_TYPES.get(fact.type, _OTHER), **(about if fact.type != "missing" else {}))
    said = {"message": f"{fact.asset}: {fact.how}", "file": file}
    return _Body(FILE, activity, said | ({"activity_name": fact.how} if activity == _OTHER else {}))


def _of_content(fact: Content) -> _Body:
    said = {"message": f"weights recognised in {fact.part}"}
    if fact.flow is None:
        return _Body(
            FILE, _OTHER, said | {"activity_name": "content recognised", "file": _file(fact.path or "unknown")}
        )
    return _Body(NETWORK, _TRAFFIC, said | _link(fact.flow, fact, None))


def _of_opened(fact: Opened) -> _Body:
    return _Body(NETWORK, _OPEN, _link(fact.flow, fact, fact.transport))


def _of_closed(fact: Closed) -> _Body:
    totals = {"bytes_out": fact.sent, "bytes_in": fact.received, "bytes": fact.sent + fact.received}
    body = _link(fact.flow, fact, fact.transport) | {"app_name": fact.protocol, "traffic": totals}
    return _Body(NETWORK, _CLOSE, body)


def _of_request(fact: Request) -> _Body:
    scheme = "https" if fact.tls else "http"
    try:
        parts = urlsplit(fact.target)
        path = parts.path
    except ValueError:
        path = fact.target
    url = {"hostname": fact.host, "path": path, "scheme": scheme, "url_string": f"{scheme}://{fact.host}{fact.target}"}
    return _Body(
        HTTP,
        _METHODS.get(fact.method.upper(), _OTHER),
        {
            "dst_endpoint": _endpoint(None, None, fact.host),
            "connection_info": _connection(fact.flow, "tcp"),
            "http_request": {"http_method": fact.method, "url": url, "body_length": fact.body_bytes},
            **({"http_response": {"code": fact.status}} if fact.status else {}),
            **({"activity_name": fact.method} if fact.method.upper() not in _METHODS else {}),
        },
    )


def _of_lookup(fact: Lookup) -> _Body:
    refused = fact.answer.isupper() and fact.answer.isalpha()
    return _Body(
        DNS,
        _TRAFFIC,
        {
            "query": {"hostname": fact.name, "type": fact.type},
            "connection_info": _connection(fact.flow, None),
            **({"rcode": fact.answer} if refused else {"answers": [{"rdata": fact.answer, "type": fact.type}]}),
        },
    )


_DESCRIBE: dict[type[Fact], Callable[[Any], _Body]] = {
    FileRead: _of_read,
    DirectoryListed: _of_listed,
    FileWritten: _of_written,
    FileMoved: _of_moved,
    FileDeleted: _of_deleted,
    AssetState: _of_state,
    Content: _of_content,
    Opened: _of_opened,
    Closed: _of_closed,
    Request: _of_request,
    Lookup: _of_lookup,
}
