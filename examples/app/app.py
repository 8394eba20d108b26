"""A web page over your own documents, in the standard library and a few lines of pilotfish.

    python examples/app/app.py examples/handbook

Then open http://127.0.0.1:8000. It serves this machine alone, and asks nobody but the knowledge base.
"""

from __future__ import annotations

import sys
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from rag import Answer, KnowledgeBase

PORT = 8000
HOSTS = (f"127.0.0.1:{PORT}", f"localhost:{PORT}")
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Ask the handbook</title>
<style>body {{ font: 1rem/1.5 system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}
input {{ font: inherit; width: 100%; padding: .6rem; box-sizing: border-box }}
p {{ white-space: pre-line }} small {{ overflow-wrap: anywhere }}
blockquote {{ color: #555; margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #ddd }}</style>
<form><input name="q" value="{question}" placeholder="How long do refunds take?" autofocus></form>{answer}"""


def shown(answer: Answer) -> str:
    """The answer, and under it what each citation rests on."""
    parts = [f"<p>{escape(answer.annotated)}</p>"]  # what no source supports is marked
    for citation in answer.citations:
        if citation.supported:
            place = f"[{citation.number}] {citation.location.of(citation.uri)}"
            parts.append(f"<blockquote>{escape(citation.quote)}<br><small>{escape(place)}</small></blockquote>")
    return "".join(parts)


def main() -> None:
    """Index the folders named on the command line, then answer."""
    kb = KnowledgeBase.open(".rag-app")
    kb.index(*(sys.argv[1:] or ["examples/handbook"]))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers["Host"] not in HOSTS:  # another site whose name was made to lead here reads nothing
                self.send_error(403)
                return
            question = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            answer = shown(kb.ask(question)) if question.strip() else ""
            page = PAGE.format(question=escape(question), answer=answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print(f"http://127.0.0.1:{PORT}")
    server.serve_forever()


if __name__ == "__main__":
    main()
