"""Words for constructed comparisons, where what they must say is known."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

from tests.report.comparisons import make_comparison
from vaetools import AE, VAE, compare
from vaetools.anomaly.overfitting import learnt_by_heart
from vaetools.report.findings import stand, trained_on
from vaetools.report.questions import MEASURES, answer, note, warn


def measured(**values):
    """Measures with intervals of ±0.05 around the values: ``holes={"AE": 0.4, "VAE": 0.1}``."""
    rows = [
        (model, measure, value, value - 0.05, value + 0.05)
        for measure, own in values.items()
        for model, value in own.items()
    ]
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high"])


def constructed(*names, n=300, **values):
    """Data, models of which the first is an AE, and measures."""
    comparison = make_comparison(names, n=n, outliers=False, labels=False)
    return comparison.data, comparison.models, measured(**values)


def terms(train, new, held_out=None):
    """Mean costs of rows, all of them reconstruction."""
    costs = {"train": train, "held_out": held_out, "new": new}
    costs = {name: cost for name, cost in costs.items() if cost is not None}
    return pd.DataFrame({"reconstruction": costs, "kl": 0.0})


def test_who_is_best_and_who_is_behind():
    measures = measured(holes={"A": 0.5, "B": 0.1, "C": 0.18}, psnr={"A": 9.0, "B": 2.0})
    assert stand(measures, MEASURES["holes"]) == ({"B": 0.1, "C": 0.18, "A": 0.5}, ["B", "C"], ["A"])
    assert list(stand(measures, MEASURES["psnr"])[0]) == ["A", "B"]  # of which more is better
    assert stand(measures, MEASURES["mse"]) is None
    assert stand(measures.assign(low=np.nan), MEASURES["holes"]) is None


def test_a_difference_is_stated_with_its_price():
    said = answer(
        *constructed(
            "AE",
            "VAE",
            prior_empty={"AE": 0.41, "VAE": 0.02},
            off_data={"AE": 0.62, "VAE": 0.02},
            rate={"VAE": 9.0},
            mse={"AE": 1.0, "VAE": 1.2},
        )
    )
    assert said == (
        "The VAE leaves 2 % of the prior empty, against 41 % for the AE.",
        "Of what the VAE decodes from the prior, 2.0 % lies off the data, against 62.0 % for the AE.",
        "To fill the prior, the VAE pays 9.0 nats of KL per row.",
        "The AE has the least squared error; it is higher by 20 % for the VAE.",
    )


def test_what_intervals_do_not_tell_is_not_stated_as_a_difference():
    said = answer(
        *constructed(
            "AE",
            "VAE",
            off_data={"AE": 0.09, "VAE": 0.02},
            rate={"VAE": 9.0},
            mse={"AE": 1.0, "VAE": 1.02},
        )
    )
    unclear = "The data do not tell the VAE (2.0 %) and the AE (9.0 %) apart"
    assert said == (
        f"{unclear} in how much of what they decode from the prior lies off the data.",
        "The VAE pays 9.0 nats of KL per row.",
        "The data do not tell the squared errors of the AE and the VAE apart.",
    )


def test_three_models_of_which_two_are_as_good():
    said = answer(*constructed("AE", "VAE", "B", prior_empty={"AE": 0.41, "VAE": 0.02, "B": 0.05}))
    assert said == (
        "The VAE leaves 2 % of the prior empty, against 41 % for the AE; “B” (5 %) cannot be told from it.",
    )


def test_a_name_of_a_novel_is_shortened():
    (said,) = answer(*constructed("x" * 1000, holes={}, prior_empty={"x" * 1000: 0.41}))
    assert said.startswith("“xxxxxxxx")
    assert said.endswith("x” leaves 41 % of the prior empty.")
    assert len(said) < 80


def test_one_model_is_described():
    said = answer(*constructed("AE", prior_empty={"AE": 0.41}, mse={"AE": 1.0}))
    assert said == ("The AE leaves 41 % of the prior empty.",)


def test_a_conditional_model_is_not_blamed_for_its_classes():
    data, models, measures = constructed(
        "AE", "VAE", "CVAE", knn_accuracy={"AE": 0.9, "VAE": 0.7, "CVAE": 0.1}
    )
    models = (*models[:2], dataclasses.replace(models[2], kind="CVAE"))
    (said,) = answer(data, models, measures)
    assert said == "In the AE, 90.0 % of the rows lie among their own class, against 70.0 % for the VAE."
    labeled = make_comparison(("AE", "VAE"), n=300).data
    assert "it is no fault" in warn(models[2], labeled)["neighbors"]
    assert "neighbors" not in warn(models[1], labeled)


@pytest.mark.parametrize(
    ("kl", "active"), [([0.3, 0.2, 0.1], [True, True, False]), ([0.3, 0.3, 0.0], [False] * 3)]
)
def test_a_collapsed_model_is_named_and_not_praised(kl, active):
    data, models, measures = constructed("AE", "VAE", off_data={"AE": 0.6, "VAE": 0.0}, rate={"VAE": 0.0})
    vae = dataclasses.replace(models[1], kl_per_component=np.array(kl), active_units=np.array(active))
    said = answer(data, (models[0], vae), measures)
    assert said[0] == f"The VAE is collapsed: KL is {sum(kl):.2f} nats per row, less than a bit."
    assert said[1:] == ("Of what the AE decodes from the prior, 60.0 % lies off the data.",)
    found = warn(vae, data)
    assert found["dimensions"].startswith("The VAE is collapsed")
    advice = found["dimensions"]
    assert advice.index("scale of the data") < advice.index("more epochs") < advice.index("beta")
    assert {"neighbors", "gaps", "round", "samples", "between"} <= set(found)
    assert warn(models[1], data) == {}


def test_a_model_whose_means_do_not_vary_is_not_the_prior():
    data, models, measures = constructed("AE", "VAE", prior_empty={"AE": 0.6, "VAE": 0.9})
    vae = dataclasses.replace(models[1], kl_per_component=np.full(3, 3.5), active_units=np.zeros(3, bool))
    said = answer(data, (models[0], vae), measures)
    assert said == (
        (
            "The VAE puts all rows in about one place: none of 3 components is in use, at a KL of 10.50 nats "
            "per row. It may be trained too little."
        ),
        "The AE leaves 60 % of the prior empty, against 90 % for the VAE.",
    )
    assert list(warn(vae, data)) == ["dimensions"]
    assert "max_iter" in warn(vae, data)["dimensions"]


def test_components_that_carry_nothing_are_told():
    data, models, _ = constructed("AE", "VAE")
    vae = dataclasses.replace(models[1], active_units=np.array([True, False, False]))
    assert warn(vae, data)["dimensions"].startswith("2 of 3 components carry nothing")


def test_an_ae_does_not_collapse():
    data, models, _ = constructed("AE")
    idle = dataclasses.replace(models[0], active_units=np.zeros(3, bool))
    assert warn(idle, data) == {}


@pytest.mark.parametrize(
    ("costs", "warning"),
    [
        (
            terms(-10.0, 30.0),
            "overfitted, or the new rows are of another kind: rows that trained cost −10.0 nats, new ones 3",
        ),
        (terms(-10.0, 30.0, 29.0), "rows that trained cost −10.0 nats, held-out ones 29.0."),
        (terms(-10.0, 30.0, -9.0), "of the training data −9.0: the new rows are of another kind."),
        (terms(-10.0, -8.0, -9.0), None),
        (terms(-10.0, -8.0), None),
        (terms(None, 30.0), None),
    ],
)
def test_overfitting_and_rows_of_another_kind(costs, warning):
    data, models, measures = constructed("AE")
    ae = dataclasses.replace(models[0], terms=costs)
    found = warn(ae, data).get("reconstruction")
    assert (found is None) if warning is None else (warning in found)
    assert any("overfitted" in sentence for sentence in answer(data, (ae,), measures)) == (
        warning is not None and "cost −10.0" in warning
    )


def test_rows_that_trained_are_known_by_their_codes(digits):
    X = digits[0]
    ae = AE(4, max_iter=1, **OPTIONS).fit(X[:300])
    found = compare({"AE": ae}, X[150:400], method="pca")
    assert "The AE was trained on at least" in found.answer[0]
    trained = {code.tobytes() for code in ae.reference_codes_}
    codes = ae.transform(X[150:400]).astype(np.float32)
    share = 100 * sum(code.tobytes() in trained for code in codes) // 250
    assert 40 <= share < 60
    assert f"at least {share} % of these rows" in found.answer[0]
    assert found.models[0].warnings["reconstruction"].startswith(found.answer[0])
    alike = dataclasses.replace(found.models[0], codes=np.zeros((9, 4)), reference_codes=np.zeros((9, 4)))
    assert trained_on(alike) == ""
    assert "trained on" not in " ".join(compare({"AE": ae}, X[280:400], method="pca").answer)


def test_a_model_that_decodes_one_row_is_not_praised():
    data, models, measures = constructed(
        "AE", "VAE", off_data={"AE": 0.0, "VAE": 0.3}, coverage={"AE": 0.03, "VAE": 0.8}
    )
    other, said = answer(data, models, measures)
    assert other == "Of what the VAE decodes from the prior, 30.0 % lies off the data."
    assert said.startswith("What the AE decodes from the prior comes near only 3 % of the rows, and 0.0 %")


def test_where_all_samples_lie_off_the_data_nobody_is_best():
    off = {"AE": 1.0, "VAE": 0.995}
    (said,) = answer(*constructed("AE", "VAE", off_data=off, coverage={"AE": 0.0, "VAE": 0.0}))
    assert said == "Nothing that any of the AE and the VAE decodes from the prior looks like the data."
    (said,) = answer(*constructed("AE", off_data={"AE": 1.0}))
    assert said == "Nothing that the AE decodes from the prior looks like the data."


def test_a_model_no_better_than_the_mean_is_named(digits):
    X = digits[0]
    dark = AE(2, max_iter=0, **OPTIONS).fit(X[:100])
    found = compare({"AE": dark}, X[1500:], method="pca")
    said = "The AE reconstructs no better than the mean of the data."
    assert said in found.answer
    assert said in found.models[0].warnings["reconstruction"]
    fair = compare({"AE": AE(8, max_iter=60, **OPTIONS).fit(X[:1000])}, X[1500:], method="pca")
    assert "no better" not in " ".join(fair.answer)


def test_bernoulli_costs_are_judged_by_their_share():
    assert learnt_by_heart(20.0, 26.0, 64, likelihood="bernoulli")
    assert not learnt_by_heart(20.0, 24.0, 64, likelihood="bernoulli")
    assert not learnt_by_heart(20.0, 26.0, 64, likelihood="gaussian")
    assert learnt_by_heart(20.0, 36.0, 64, likelihood="gaussian")


def test_too_few_points_are_warned_of_where_they_matter():
    comparison = make_comparison(("AE",), n=60)
    (model,), data = comparison.models, comparison.data
    found = note(data)
    few_rows = "Only 54 rows that are not known to be odd were compared: small differences cannot show."
    assert found["samples"] == found["neighbors"] == few_rows
    assert found["odd"] == "Only 6 outliers are known: AUROC and average precision are rough."
    assert answer(data, (model,), measured())[-1] == found["samples"]
    few = dataclasses.replace(data, labels=np.array(["one"] * 57 + ["two"] * 3))
    assert "Class two has 3 rows: " in note(few)["neighbors"]
    ids = dataclasses.replace(data, labels=np.arange(60))
    assert note(ids)["neighbors"].endswith(
        "60 of 60 classes have fewer than 10 rows: too few to say whether their neighbors are alike."
    )
    one = dataclasses.replace(data, labels=np.array(["one"] * 59 + ["two"]), outliers=np.arange(60) == 1)
    assert "Class two has 1 row: " in note(one)["neighbors"]
    assert note(one)["odd"].startswith("Only 1 outlier is known: ")
    blind = dataclasses.replace(model, p_values=None)
    assert "No rows were held out to calibrate" in warn(blind, data)["odd"]
    assert "odd" not in warn(model, data)
    assert "odd" not in warn(dataclasses.replace(blind, threshold=None), data)  # it gives no verdict
    assert note(make_comparison(("AE",), n=600).data) == {}


def test_copies_are_told_of():
    data, models, measures = constructed("AE", knn_accuracy={"AE": 1.0})
    copied = dataclasses.replace(data, n_different=250)
    told = "Of 300 rows 50 are copies of others: a row lies beside its copies, whatever the model."
    assert note(copied) == {"neighbors": told}
    assert answer(copied, models, measures)[-1] == told
    assert "copies" not in str(answer(data, models, measures))


def test_who_names_outliers_is_told_of_them():
    tied = {"AE": 0.93, "VAE": 0.95}
    apart = {name: {"AE": 0.2, "VAE": 0.8} for name in ("prior_empty", "off_data", "mse", "moment_kl")}
    apart |= {"off_data_between": {"AE": 0.2, "VAE": 0.8}, "rate": {"VAE": 9.0}, "knn_accuracy": tied}
    data, models, measures = constructed("AE", "VAE", auroc=tied, **apart)
    told = (
        "The data do not tell the VAE (0.950) and the AE (0.930) apart in how well they find known outliers, "
        "by AUROC."
    )
    assert answer(data, models, measures)[-1] == told
    fallen = tuple(dataclasses.replace(each, kl_per_component=np.zeros(3)) for each in models)
    assert answer(data, fallen[1:], measures[measures["model"] == "VAE"]) == (
        "The VAE is collapsed: KL is 0.00 nats per row, less than a bit.",
        "The VAE finds known outliers with an AUROC of 0.950.",
    )


def test_a_price_is_paid_for_what_it_buys():
    off = {"AE": 0.6, "VAE": 0.02, "B": 0.6}
    empty = {"AE": 0.02, "VAE": 0.02, "B": 0.02}
    said = answer(
        *constructed("AE", "B", "VAE", prior_empty=empty, off_data=off, rate={"B": 1.0, "VAE": 9.0})
    )
    assert said[2] == ("To decode samples near the data, the VAE pays 9.0 nats of KL per row; “B” 1.0 nats.")


def test_differences_in_roundness_and_between_codes_are_told_and_ties_make_room():
    tied = {"AE": 0.5, "VAE": 0.5}
    apart = {"moment_kl": {"AE": 2.79, "VAE": 0.04}, "off_data_between": {"AE": 0.2, "VAE": 0.01}}
    told = (
        "The moments of the VAE are 0.04 nats per dimension from N(0, I), against 2.79 nats for the AE.",
        "Between two codes 1.0 % of what the VAE decodes lies off the data, against 20.0 % for the AE.",
    )
    assert answer(*constructed("AE", "VAE", **apart)) == told
    ties = dict.fromkeys(("prior_empty", "off_data", "mse", "knn_accuracy", "auroc"), tied)
    said = answer(*constructed("AE", "VAE", rate={"VAE": 9.0}, **apart, **ties))
    assert len(said) == 7
    assert set(told) <= set(said)
    assert answer(*constructed("AE", "VAE", moment_kl=tied, off_data_between=tied)) == ()


def test_an_ae_that_is_as_good_owes_the_vae_no_price():
    empty = {"AE": 0.02, "VAE": 0.02, "B": 0.4}
    data, models, measures = constructed("AE", "VAE", "B", prior_empty=empty, rate={"VAE": 9.0})
    plain = dataclasses.replace(models[2], has_prior=False)
    said = answer(data, (*models[:2], plain), measures)
    assert said[1] == "The VAE pays 9.0 nats of KL per row."


OPTIONS = {"image_shape": (1, 8, 8), "hidden_channels": (), "hidden_layer_sizes": (64,), "random_state": 0}


def compared(model, digits, n):
    X = digits[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fit says it, too: here the comparison must
        model.fit(X[:n])
    return compare({"it": model}, X[1500:], method="pca")


def test_a_beta_of_50_collapses_on_digits(digits):
    found = compared(VAE(4, beta=50, max_iter=15, **OPTIONS), digits, 1000)
    assert found.answer[0].startswith("“it” is collapsed")
    assert "collapsed" in found.models[0].warnings["dimensions"]


def test_an_ae_of_50_digits_is_overfitted_and_one_of_1000_in_few_epochs_is_not(digits):
    found = compared(AE(8, max_iter=1000, **OPTIONS), digits, 50)
    assert found.answer[0].startswith("“it” is overfitted")
    assert "overfitted" in found.models[0].warnings["reconstruction"]
    assert "overfitted" not in " ".join(compared(AE(8, max_iter=15, **OPTIONS), digits, 1000).answer)
