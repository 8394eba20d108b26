from __future__ import annotations

import pytest
from lxml import etree

from connectors.formats.page.mathml import linear


@pytest.mark.parametrize(
    ("math", "text"),
    [
        (
            (
                "<mi>x</mi><mo>=</mo><mfrac><mrow><mo>−</mo><mi>b</mi><mo>±</mo><msqrt><msup><mi>b</mi><mn>2</mn></msup>"
                "<mo>−</mo><mn>4</mn><mi>a</mi><mi>c</mi></msqrt></mrow><mrow><mn>2</mn><mi>a</mi></mrow></mfrac>"
            ),
            "x = (-b ± √(b^2 - 4ac))/(2a)",
        ),
        (
            "<mi>P</mi><mo>=</mo><mfrac><mrow><mi>ρ</mi><mi>g</mi><mi>Q</mi><mi>H</mi></mrow><mi>η</mi></mfrac>",
            "P = ρgQH/η",
        ),
        (
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
                "<msub><mi>x</mi><mi>i</mi></msub>"
            ),
            "∑_(i = 1)^n x_i",
        ),
        ("<mi>NPSH</mi><mo>=</mo><mn>14.2</mn><mspace/><mtext>m</mtext>", "NPSH = 14.2 m"),
        ("<mi>sin</mi><mo>&#x2061;</mo><mi>x</mi><mo>≤</mo><mo>-</mo><mn>3</mn>", "sin x ≤ -3"),
        ("<msubsup><mi>v</mi><mn>0</mn><mn>2</mn></msubsup>", "v_0^2"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot><mover><mi>y</mi><mo>¯</mo></mover>", "root3(x)y¯"),
        (
            (
                "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr>"
                "<mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable>"
            ),
            "[1, 2; 3, 4]",
        ),
        (
            (
                "<semantics><msup><mn>10</mn><mrow><mo>-</mo><mn>3</mn></mrow></msup>"
                "<annotation>10^{-3}</annotation></semantics>"
            ),
            "10^-3",
        ),
        ("<mfenced open='[' close=']'><mi>a</mi><mi>b</mi></mfenced>", "[a, b]"),
        ("", ""),
        ("<mfrac><mi>a</mi></mfrac>", "a/"),
    ],
)
def test_an_equation_reads_as_people_type_it(math: str, text: str) -> None:
    assert linear(etree.fromstring(f"<math>{math}</math>")) == text
    assert linear(etree.fromstring(f'<math xmlns="http://www.w3.org/1998/Math/MathML">{math}</math>')) == text


@pytest.mark.parametrize("tag", ["msqrt", "mfrac", "msup", "mrow", "semantics"])
def test_deep_equations_cost_little(tag: str) -> None:
    assert "x" in linear(etree.fromstring(f"<math>{f'<{tag}>' * 200}x{f'</{tag}>' * 200}</math>"))
