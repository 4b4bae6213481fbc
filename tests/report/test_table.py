from tests.report.demos import make_demo
from vaetools.report.table import table_text
from vaetools.report.text import number, percent


def test_numbers_and_absent_numbers():
    assert (number(-1.25, 1), number(0.98765, 3), number(None, 1)) == ("−1.2", "0.988", "–")
    assert (percent(0.0625), percent(None)) == ("6.2 %", "–")


def test_the_table_holds_every_number_in_its_column():
    text = table_text(make_demo())
    heading = next(line for line in text.splitlines() if line.startswith("model"))
    rows = {line.split()[0]: line for line in text.splitlines() if line.startswith(("VAE ", "CVAE ", "PCA "))}
    names = ["fit, s", "reconstr., nats", "KL, nats", "AUROC", "false alarms", "found", "kNN accuracy"]
    # numbers are right-aligned: each ends where its heading ends
    ends = [heading.index(name) + len(name) for name in names]
    assert [rows["VAE"][:end].split("  ")[-1].strip() for end in ends] == [
        "1.2",
        "−35.5",
        "12.0",
        "0.996",
        "6.2 %",
        "75.0 %",
        "0.900",
    ]
    assert [rows["PCA"][:end].split()[-1] for end in ends] == ["0.0", "–", "–", "0.800", "–", "–", "0.950"]
    assert "higher = more normal" in text
    assert "nats" in text


def test_the_table_fits_the_terminal():
    lines = table_text(make_demo()).splitlines()
    assert (
        max(len(line) for line in lines if "<" not in line) <= 100
    )  # the hostile label is longer than a digit
