import gzip
import re

import ir_measures
import pytest
from ir_measures import RR, R, nDCG

from connectors.errors import SourceError
from connectors.source import Added
from rag.evaluation.collections.beir import make_document
from rag.evaluation.collections.qrels import read_judgements
from rag.evaluation.collections.trec import TrecCorpus, read_topics
from rag.evaluator import evaluate

DOCUMENTS = """<DOC>
<DOCNO> FT-1 </DOCNO>
<HEADLINE>Tides &amp; the moon</HEADLINE>
<TEXT>
<P>The gravity of the moon pulls the oceans.</P>
</TEXT>
</DOC>
<doc>
<docno>FT-2</docno>
Sourdough bread rises because of wild yeast.
</doc>
"""
TOPICS = """<top>
<num> Number: 301
<title> Sourdough bread

<desc> Description:
Why does it rise?
</top>
<top>
<num>302</num>
<title>moon and
oceans</title>
</top>
"""
QRELS = "301 0 FT-2 1\n302 0 FT-1 2\n302 0 FT-9 0\n"


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    (folder / "ft").mkdir(parents=True)
    (folder / "ft" / "a.sgml").write_text(DOCUMENTS)
    more = "<DOC>\n<DOCNO>LA-1</DOCNO>\n<TEXT>Le café de la gare.</TEXT>\n</DOC>\n"
    (folder / "b.gz").write_bytes(gzip.compress(more.encode("latin-1")))
    (tmp_path / "topics").write_text(TOPICS)
    (tmp_path / "qrels").write_text(QRELS)
    return folder


def test_documents(disk):
    corpus = TrecCorpus(disk)
    documents = {event.document.uri: event.document for event in corpus.events({}) if isinstance(event, Added)}
    assert corpus.ids() == documents.keys() == {"FT-1", "FT-2", "LA-1"}
    assert documents["FT-1"].title == "Tides & the moon"
    assert documents["FT-1"].text == "The gravity of the moon pulls the oceans."
    assert documents["FT-2"].text == "Sourdough bread rises because of wild yeast."
    assert documents["LA-1"].text == "Le café de la gare.", "what is not UTF-8 is Latin-1"


def test_topics(disk):
    assert read_topics(disk.parent / "topics") == {"301": "Sourdough bread", "302": "moon and oceans"}


def test_topics_as_lines(tmp_path):
    (tmp_path / "t.tsv").write_text("7\twhat is lava?\n8\twhat is magma?\n")
    (tmp_path / "t.jsonl").write_text('{"_id": "7", "text": "what is lava?"}\n')
    assert read_topics(tmp_path / "t.tsv") == {"7": "what is lava?", "8": "what is magma?"}
    assert read_topics(tmp_path / "t.jsonl") == {"7": "what is lava?"}


def test_trec_files_are_measured_and_the_run_is_what_ir_measures_reads(disk, tmp_path):
    result = evaluate(disk, topics=tmp_path / "topics", qrels=tmp_path / "qrels", folder=tmp_path / "kb")
    result.write_run(tmp_path / "run", "sparse")
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels")))
    run = list(ir_measures.read_trec_run(str(tmp_path / "run")))
    reference = ir_measures.calc_aggregate([nDCG @ 10, R @ 100, RR @ 10], qrels, run)
    ours = result.metrics["sparse"]
    assert ours["nDCG@10"] == pytest.approx(reference[nDCG @ 10]) == 1.0
    assert ours["Recall@100"] == pytest.approx(reference[R @ 100])
    assert ours["MRR@10"] == pytest.approx(reference[RR @ 10])
    assert (result.dataset, result.split, result.documents) == ("disk", "qrels", 3)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("topics", "<top>\n<title>lava\n</top>\n", "line 1: the topic '' has no number"),
        ("topics", "<top>\n<num>7\n<title>\n</top>\n", "line 1: the topic '7' has no title"),
        ("topics", "<top>\n<num>7\n<title>lava\n", "line 1: this <top> is not closed"),
        ("topics", "7\tlava\n7\tmagma\n", "line 2: the id '7' occurs twice"),
        ("topics", "7 lava\n", "line 1: '7 lava' is not an id and a text"),
        ("topics", "", "holds no topics"),
        ("qrels", "301 0 FT-2\n", "line 1: '301 0 FT-2' is not a judgement"),
        ("qrels", "999 0 FT-2 1\n", "none of its queries is among the 2 queries"),
        ("disk/ft/a.sgml", "<DOC>\nno number\n</DOC>\n", "line 1: the document has no DOCNO"),
        ("disk/ft/a.sgml", DOCUMENTS + DOCUMENTS, "line 12: the DOCNO 'FT-1' occurs twice"),
        ("disk/ft/a.sgml", "<DOC>\n<DOCNO>x</DOCNO>\n", "line 1: this <doc> is not closed"),
        ("disk/b.gz", "no gzip", "b.gz cannot be read"),
    ],
)
def test_what_is_broken_is_named_and_nothing_is_indexed(disk, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=re.escape(message)) as caught:
        evaluate(disk, topics=tmp_path / "topics", qrels=tmp_path / "qrels", folder=tmp_path / "kb")
    assert caught.value.hint
    assert str(tmp_path) in str(caught.value)
    assert not (tmp_path / "kb").exists()


def test_judgements_of_either_kind(tmp_path):
    file = tmp_path / "qrels"
    for text in (QRELS, "query-id\tcorpus-id\tscore\n301\tFT-2\t1\n302\tFT-1\t2\n302\tFT-9\t0\n"):
        file.write_text(text)
        assert read_judgements(file).grades == {"301": {"FT-2": 1}, "302": {"FT-1": 2, "FT-9": 0}}


def test_a_document_without_a_name_is_code_when_it_looks_like_it():
    function = "def area(radius):\n    return 3.14 * radius * radius\n"
    assert make_document("d1", "", function, "beir").kind == "code"
    assert make_document("d2", "", "The area of a circle\ngrows with its radius.", "beir").kind == "beir"
