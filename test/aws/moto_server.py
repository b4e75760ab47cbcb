"""An emulator of AWS for tests: Moto with what its Glue lacks (moto_glue.py) and faults on demand.

It cannot prove how AWS itself canonicalises definitions, words its errors, limits rates, checks permissions or delays what was written.

Run as: python moto_server.py; it prints its port once it listens on the loopback interface, and ends when its standard input does.
POST /tidemark/faults takes what is to go wrong as JSON (see `faults`); GET /tidemark/calls counts Glue's calls by action.
"""

import json
import logging
import re
import socket
import sys
import threading
from collections import Counter
from email.utils import formatdate
from time import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

import moto_glue

# "errors": rules of {service, action (Glue) or method (others), type, message, status, times}; the first that fits answers, times times.
# "down": connections are cut off without an answer. "cutAfterBytes": answers of S3 that are longer break off there (0: none). "skewSeconds": what the server's clock is ahead. The rest: see moto_glue.
NONE = {"errors": [], "down": False, "cutAfterBytes": 0, "skewSeconds": 0, **moto_glue.NONE}
faults = {**NONE}
calls = Counter()
moto = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()


def asked_of(environ):
    scope = re.search(r"Credential=[^/]*/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[2] or environ["REQUEST_METHOD"]
    return (scope.group(1) if scope else ""), action


def fault_for(service, action):
    for rule in faults["errors"]:
        fits = rule.get("service", "glue") == service and rule.get("action", action) == action
        if fits and rule.get("times", 1) > 0:
            rule["times"] = rule.get("times", 1) - 1
            return rule
    return None


def answer(start_response, status, body, kind="application/x-amz-json-1.1", headers=()):
    start_response(f"{status} -", [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])
    return [body]


def fault_answer(start_response, rule, service):
    kind, message = rule["type"], rule.get("message", "injected by the test")
    if service == "s3":
        xml = f"<?xml version='1.0'?><Error><Code>{kind}</Code><Message>{message}</Message></Error>"
        return answer(start_response, rule.get("status", 403), xml.encode(), "application/xml")
    body = json.dumps({"__type": kind, "message": message}).encode()
    return answer(start_response, rule.get("status", 400), body, headers=[("x-amzn-errortype", kind)])


def control(environ, start_response):
    if environ["REQUEST_METHOD"] == "GET":
        return answer(start_response, 200, json.dumps(calls).encode(), "application/json")
    given = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    unknown = set(given) - set(NONE)
    if unknown:
        return answer(start_response, 400, f"no such fault: {unknown}".encode(), "text/plain")
    faults.clear()
    faults.update({**NONE, **given})
    moto_glue.behave({name: faults[name] for name in moto_glue.NONE})
    calls.clear()
    return answer(start_response, 200, b"{}", "application/json")


def broken_off(environ, chunks):
    left = faults["cutAfterBytes"]
    for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left < 0:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError


def serve(environ, start_response):
    if environ["PATH_INFO"].startswith("/tidemark/"):
        return control(environ, start_response)
    if faults["down"] and not environ["PATH_INFO"].startswith("/moto-api/"):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError

    service, action = asked_of(environ)
    with lock:
        calls[f"{service}:{action}"] += 1
        rule = fault_for(service, action)
    if rule:
        return fault_answer(start_response, rule, service)
    if service == "s3" and faults["cutAfterBytes"]:
        return broken_off(environ, moto(environ, start_response))
    if service != "glue":
        return moto(environ, start_response)
    # Two requests at once must not make two versions of one definition.
    with lock:
        return moto(environ, start_response)


class Handler(MotoRequestHandler):
    def date_time_string(self, timestamp=None):
        return formatdate(time() + faults["skewSeconds"], usegmt=True)

    def log(self, *_):
        pass

    def connection_dropped(self, *_):
        pass


logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Handler)
print(server.server_port, flush=True)
# Whoever started it holds its standard input: with them it goes, however they end.
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
