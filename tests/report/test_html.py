import base64
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import vaetools
from tests.report.browser import Parsed
from tests.report.comparisons import HOSTILE, LONG, make_comparison
from vaetools.report.figures import COLORS
from vaetools.report.page.comparison import measure_rows, render
from vaetools.report.questions import MEASURES, QUESTIONS
from vaetools.report.questions.reconstruction import RECONSTRUCTION

TITLES = [question.title for question in QUESTIONS.values()]
TABLE = {"image_shape": None, "labels": False, "outliers": False}


def blocks(comparison, section):
    return list(QUESTIONS[section].draw(comparison))


@pytest.fixture(scope="module")
def comparison():
    return make_comparison()


@pytest.fixture(scope="module")
def page(comparison):
    return render(comparison)


@pytest.fixture(scope="module")
def parsed(page):
    return Parsed(page)


def figures_of(parsed):
    """Traces and layouts of the page, by the words that describe them."""
    plots = [attributes for tag, attributes in parsed.elements if attributes.get("class") == "plot"]
    texts = [
        text
        for attributes, text in zip(parsed.all("script"), parsed.raw["script"], strict=True)
        if attributes.get("type") == "application/json" and attributes.get("id") != "rows"
    ]
    return {plot["aria-label"]: json.loads(text) for plot, text in zip(plots, texts, strict=True)}


def test_nothing_is_fetched(parsed):
    assert parsed.addresses
    assert all(address.startswith(("data:", "#")) for address in parsed.addresses)
    assert not any(word in style for style in parsed.raw["style"] for word in ("url(", "@import"))
    assert parsed.policy.startswith("default-src 'none'")


def test_it_links_to_explorers_beside_it(comparison, parsed, tmp_path):
    assert "vaetools explore MODEL DATA -o space.html" in parsed.words
    name = comparison.models[0].name
    (tmp_path / "pages").mkdir()
    page = tmp_path / "pages" / "page.html"
    comparison.to_html(page, {name: tmp_path / 'a "b" #1.html'})
    linked = Parsed(page.read_text("utf-8"))
    assert next(found["href"] for found in linked.all("a")) == "../a%20%22b%22%20%231.html"
    assert "vaetools explore MODEL" not in linked.words
    with pytest.raises(ValueError, match=r"to_html: explorers must be of models among .*; got 'none'"):
        comparison.to_html(page, {"none": page})


def test_the_answer_comes_first_and_the_sections_follow_in_order(comparison, parsed):
    places = [parsed.words.index(text) for text in (*comparison.answer, *TITLES)]
    assert places == sorted(places)
    assert [a["id"] for a in parsed.all("section")] == list(QUESTIONS)


def test_every_section_says_how_to_read_it_and_when_not_to_trust_it(comparison, parsed):
    for question in QUESTIONS.values():
        for sentence in question.read(comparison):
            assert sentence in parsed.words


def test_a_model_keeps_its_color_where_another_has_no_density(comparison):
    first = dataclasses.replace(comparison.models[0], traversed=np.array([0]))
    without = dataclasses.replace(comparison, models=(first, comparison.models[1]))
    (plot,) = blocks(without, "gaps")
    assert json.loads(plot.figure.to_json())["data"][0]["colorscale"][1][1] == COLORS[1]


@pytest.mark.parametrize("section", ["gaps", "round"])
def test_gaps_and_roundness_are_drawn_of_what_is_measured(section):
    comparison = make_comparison(("VAE",))
    model = comparison.models[0]
    far = dataclasses.replace(model, codes=model.codes + 100)  # all but the draws that are measured
    (plot,) = blocks(dataclasses.replace(comparison, models=(far,)), section)
    assert plot.figure == blocks(comparison, section)[0].figure
    assert "outliers are left out" in plot.caption
    (plot,) = blocks(make_comparison(("VAE",), outliers=False), section)
    assert plot.caption == ""


def test_the_dearest_components_of_an_ae_are_those_that_vary_without_outliers():
    comparison = make_comparison(("AE",), n_components=20)
    model = comparison.models[0]
    spread = np.arange(20) + 1.0
    odd = dataclasses.replace(model, codes=model.codes / spread, posterior_draws=model.codes * spread)
    (plot,) = blocks(dataclasses.replace(comparison, models=(odd,)), "round")
    ticks = json.loads(plot.figure.to_json())["layout"]["xaxis"]["ticktext"]
    assert ticks[-1] == "20"


@pytest.mark.parametrize("section", ["samples", "between", "reconstruction"])
def test_profiles_are_in_standard_deviations_of_the_data(section):
    comparison = make_comparison(("VAE",), image_shape=None)
    mean, std = np.arange(5.0), np.array([1.0, 10, 100, 0.1, 0])
    data = dataclasses.replace(comparison.data, mean=mean, std=std)
    plot = next(
        block
        for block in blocks(dataclasses.replace(comparison, data=data), section)
        if "not known to be odd" in block.caption
    )
    model = comparison.models[0]
    row = {"samples": data.shown, "between": model.interpolations[0], "reconstruction": data.shown}[section][
        0
    ]
    line = json.loads(plot.figure.to_json())["data"][0]["y"]
    values = np.frombuffer(base64.b64decode(line["bdata"]), line["dtype"])
    np.testing.assert_allclose(values[:4], ((row - mean) / np.where(std > 0, std, 1))[:4], rtol=1e-5)
    assert np.isnan(values[4])  # a constant has no such unit


@pytest.mark.parametrize(("image_shape", "heat"), [((1, 6, 5), True), ((1, 6, 5), False), (None, False)])
def test_pictures_on_cards_are_explained_once(image_shape, heat):
    comparison = make_comparison(image_shape=image_shape)
    if not heat:
        models = tuple(
            dataclasses.replace(model, oddest=dataclasses.replace(model.oddest, overlays=None))
            for model in comparison.models
        )
        comparison = dataclasses.replace(comparison, models=models)
    caption, again = (block.caption for block in blocks(comparison, "odd")[-2:])
    assert again == ""
    assert ("reconstruction" in caption) == (image_shape is not None)
    assert ("red" in caption.split()) == heat
    assert caption in Parsed(render(comparison)).words


def test_nothing_is_explained_that_is_not_there():
    def words(comparison):
        return " ".join(sentence for question in QUESTIONS.values() for sentence in question.read(comparison))

    alone = make_comparison(("AE",), **TABLE, n_components=1, method="pca")
    model = dataclasses.replace(
        alone.models[0], threshold=None, history=alone.models[0].history.drop(columns="held_out_loss")
    )
    full, few = words(make_comparison()), words(dataclasses.replace(alone, models=(model,)))
    for said in (
        "the same rows are in every map",
        "A map bends distances",
        "choose between an AE and a VAE",
        "the circles hold",
        "left of the dashed line",
        "scores of two models",
        "known outliers",
        "the curve says how many nats",
        "down and to the left is better",
        "held-out rows that get worse",
    ):
        assert said in full
        assert said not in few
    assert "the thin line" in few
    assert "the thin line" not in full


def test_text_of_unknown_origin_is_escaped_everywhere(page, parsed):
    assert HOSTILE not in page
    text = " ".join(parsed.text)
    assert HOSTILE in text  # and shown as it is
    # figures, rows, packed plotly.js, and the script of the page: no name has opened another
    assert len(parsed.all("script")) == len(figures_of(parsed)) + 3
    assert "\\u003cscript" in page


def test_long_names_do_not_swell_the_page(parsed):
    assert "long name " * 20 not in " ".join(parsed.raw["script"])
    assert len(LONG) == 10_000


def test_every_measure_stands_in_its_section_with_its_interval(comparison, parsed):
    for measure in MEASURES.values():
        assert measure.label in parsed.words
    assert all(f" {name} " in parsed.words.replace(",", " ") for name in MEASURES)
    own = comparison.measures.query("model == 'VAE' and measure == 'psnr'").iloc[0]
    assert f"{own.low:.1f} – {own.high:.1f}" in parsed.words


def test_warnings_stand_in_their_section(comparison):
    models = tuple(
        dataclasses.replace(model, warnings={"gaps": f"too few rows for {model.name}"})
        for model in comparison.models
    )
    words = Parsed(render(dataclasses.replace(comparison, models=models))).words
    section = words[words.rindex(QUESTIONS["gaps"].title) : words.rindex(QUESTIONS["round"].title)]
    assert "AE : too few rows for AE" in section
    assert "VAE : too few rows for VAE" in section


def test_the_page_says_how_it_was_made(parsed):
    assert f"Made by vaetools {vaetools.__version__}: UMAP maps, seed 0;" in parsed.words
    assert "60 new rows, 2 models side by side" in parsed.words
    tsne = Parsed(render(make_comparison(("VAE",), method="tsne", seed=7)))
    assert "t-SNE maps, seed 7;" in tsne.words
    assert "60 new rows VAE" in tsne.words


def test_rows_that_trained_a_model_are_not_called_new(comparison):
    first, second = comparison.models
    codes = np.concatenate(
        [first.codes[:13], first.codes + 0.1]
    )  # 13 of 60 rows are among those that trained
    known = dataclasses.replace(first, reference_codes=codes)
    words = Parsed(render(dataclasses.replace(comparison, models=(known, second)))).words
    assert "60 rows, 2 models side by side" in words
    assert "60 new rows" not in words


def test_a_warning_is_not_lost_behind_the_name_of_its_model():
    model = make_comparison((LONG,)).models[0]
    warned = dataclasses.replace(model, warnings={"gaps": "Too few rows."})
    words = Parsed(render(dataclasses.replace(make_comparison((LONG,)), models=(warned,)))).words
    section = words[words.rindex(QUESTIONS["gaps"].title) : words.index("Too few rows.")]
    assert "long name" in section
    assert section.count("long name") < 12


@pytest.mark.parametrize(("names", "beside"), [(("A", "B"), True), (("A", "B", "C", "D"), False)])
def test_cautions_stand_beside_the_numbers_where_there_is_room(names, beside, monkeypatch):
    rows = tuple(
        dataclasses.replace(row, caution="Favors blur.") if row.name == "psnr" else row
        for row in RECONSTRUCTION.measures
    )
    monkeypatch.setitem(QUESTIONS, "reconstruction", dataclasses.replace(RECONSTRUCTION, measures=rows))
    parsed = Parsed(render(make_comparison(names, labels=False)))
    assert parsed.words.count("Favors blur.") == 1
    cells = [a for a in parsed.all("td") if a.get("class") == "caution"]
    assert bool(cells) == beside


def test_the_cells_of_absent_measures_are_dashes(comparison):
    rows = measure_rows(comparison.measures, ["AE", "VAE"], RECONSTRUCTION.measures)
    rate = next(cells for row, cells in rows if row.name == "rate")
    assert rate[0] == ("–", "", "")
    assert rate[1][0].isdigit()
    nothing = comparison.measures[comparison.measures.measure != "rate"]
    assert len(measure_rows(nothing, ["AE", "VAE"], RECONSTRUCTION.measures)) == len(rows) - 1


@pytest.mark.parametrize("names", [("only",), ("AE", "VAE", "3", "4", "5", "6")])
@pytest.mark.parametrize("options", [{}, TABLE, {"n_components": 1}, {"image_shape": (3, 80, 70), "n": 10}])
def test_any_models_and_data_make_a_page(names, options):
    parsed = Parsed(render(make_comparison(names, **options)))
    assert len(parsed.all("h2")) == len(QUESTIONS)
    found = figures_of(parsed)
    assert len(
        found["Maps of 1 latent spaces" if len(names) == 1 else "Maps of 6 latent spaces"]["data"]
    ) == len(names)
    assert ("Rate and distortion of the models" in found) == (len(names) > 1)
    assert ("ROC and precision-recall curves of the known outliers" in found) == (options is not TABLE)
    assert ("KL of each component" in found) == (len(names) > 1)  # the first is an AE
    colorings = [a["value"] for a in parsed.all("input")]
    assert colorings == ([] if options is TABLE else ["label", "score", "known outliers"])


def test_pictures_have_words_and_none_is_lost(comparison, parsed):
    words = [image["alt"] for image in parsed.all("img") if image.get("id") != "sprite"]
    assert all(image["src"].startswith("data:image/webp;base64,") for image in parsed.all("img"))
    for model in comparison.models:
        for expected in (
            f"Prior samples of {model.name}",
            f"The same rows from {model.name}",
            f"Component 1 of {model.name} from low to high",
            f"Decoded plane of components 1 and 2 of {model.name}",
        ):
            assert expected in words
    assert sum("what is odd in it" in text for text in words) == 12


def test_the_oddest_rows_of_a_table_say_why():
    text = Parsed(render(make_comparison(("VAE",), **TABLE))).words
    for words in ("because is expected", "−2.5", "1.25e+06", "column 2", "flagged"):
        assert words in text


def test_the_rows_know_their_names_labels_scores_and_neighbors(comparison, parsed):
    text = next(
        text
        for attributes, text in zip(parsed.all("script"), parsed.raw["script"], strict=True)
        if attributes.get("id") == "rows"
    )
    rows = json.loads(text)
    assert rows["names"][3:] == list(comparison.data.names[3:])
    assert len(rows["names"][1]) == 80
    codes = np.frombuffer(unpack(rows["codes"]), "<u2")
    assert [rows["labels"][code] for code in codes[1::3]] == ["plain"] * 20
    for own, model in zip(rows["models"], comparison.models, strict=True):
        neighbors = np.frombuffer(unpack(own["neighbors"]), "<u2").reshape(-1, own["n_neighbors"])
        assert np.array_equal(neighbors, model.neighbors)
        assert np.allclose(np.frombuffer(unpack(own["scores"]), "<f4"), model.scores)


def unpack(typed):
    import base64

    return base64.b64decode(typed["bdata"])


def test_more_rows_than_a_map_can_show_become_a_density(comparison, monkeypatch):
    for module in ("questions.neighbors", "page.comparison"):
        monkeypatch.setattr(f"vaetools.report.{module}.MOST_POINTS", 50)
    parsed = Parsed(render(comparison))
    assert {trace["type"] for trace in figures_of(parsed)["Maps of 2 latent spaces"]["data"]} == {"heatmap"}
    assert "shown as a density" in parsed.words
    assert "Shading shows where the codes of rows lie, flattened" in parsed.words
    assert "Each point is" not in parsed.words
    assert not any(image.get("id") == "sprite" for image in parsed.all("img"))
    assert "null" in parsed.raw["script"]


def test_a_history_without_held_out_rows_and_without_epochs_is_no_obstacle(comparison):
    first, second = comparison.models
    models = (
        dataclasses.replace(first, history=first.history.drop(columns="held_out_loss")),
        dataclasses.replace(second, history=pd.DataFrame()),
    )
    figure = figures_of(Parsed(render(dataclasses.replace(comparison, models=models))))[
        "Loss over the epochs of training"
    ]
    assert [trace["name"] for trace in figure["data"]] == ["trained on"]
