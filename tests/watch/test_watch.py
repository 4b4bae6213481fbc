"""A watch finds what changed, is quiet while nothing does, and goes on bit for bit where it was stopped."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from vaetools import AE, CVAE, VAE, ImageReader, ModelFileError, Watch, load, save
from vaetools.files import read_model_file, write_model_file
from vaetools.report.page.watch import render_watch
from vaetools.watch.digest import digest_of
from vaetools.watch.showing import page_of
from vaetools.watch.statistics import looks, looks_in_words, shrunk

COLUMNS = list("abcdef")


def rows(n, seed):
    """Rows of 6 columns, of which 3 hidden variables are the cause, and a seventh that counts."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3))
    mixed = hidden @ np.random.default_rng(99).normal(size=(3, 6)) + 0.3 * rng.normal(size=(n, 6))
    return pd.DataFrame(mixed, columns=COLUMNS).assign(n=rng.poisson(2.0, n).astype(float))


@pytest.fixture(scope="module")
def vae():
    return VAE(3, max_iter=20, random_state=0).fit(rows(400, 0))


@pytest.fixture
def watch(vae):
    return Watch(vae, rows(400, 1))


def state(watch, path):
    """What a watch writes; safetensors puts the entries of its metadata in any order."""
    watch.save(path)
    header, arrays = read_model_file(path)
    return header, {name: (each.dtype, each.shape, each.tobytes()) for name, each in arrays.items()}


def test_nothing_changes_and_nothing_is_said(watch):
    assert watch.update(rows(1000, 2)).alarm is None
    assert (watch.n_rows, watch.since) == (1000, [])
    assert 20 < watch.n_flagged < 100
    assert len(watch.history) <= 256
    assert watch.history["row"].tolist() == list(range(4, 1001, 4))
    assert (watch.history.iloc[:, 1:] < watch.limit).all(axis=None)


def test_a_column_that_moves_is_named_with_its_size_and_beginning(watch):
    moved = rows(100, 3).assign(c=lambda table: table["c"] + 1.5 * table["c"].std())
    alarm = watch.update(rows(500, 2)).update(moved).alarm
    first = alarm.causes[0]
    assert (first.kind, first.name) == ("column", "c")
    assert 500 < alarm.row <= 550
    assert abs(alarm.since - 501) < 8
    assert 1 < first.moved < 2.2
    assert alarm.of_normal
    assert f"column 'c' by +{first.moved:.2f} SD" in str(alarm)


def test_more_odd_rows_are_told_from_another_normal(watch, vae):
    rng = np.random.default_rng(4)
    odd = rows(300, 5)
    strange = rng.random(300) < 0.3
    odd.loc[strange] = rng.normal(0, 8, (int(strange.sum()), 7))
    watch.update(rows(500, 2)).update(odd)
    assert (watch.alarm.of_odd, watch.alarm.of_normal) == (True, False)
    first, *beside = watch.alarm.causes
    assert first.kind == "share"
    assert 0.15 < first.share < 0.6
    assert {cause.of for cause in beside} <= {"all"}
    assert "more rows are odd: " in str(watch.alarm)


def test_where_all_rows_are_odd_it_is_said_in_what(watch):
    broken = rows(60, 5).assign(d=lambda table: table["d"] + 30.0)
    alarm = watch.update(rows(500, 2)).update(broken).alarm
    assert alarm.of_odd
    beside = [cause for cause in alarm.causes if cause.of == "all"]
    assert "d" in [cause.name for cause in beside]
    assert ", and rows differ in " in str(alarm)
    assert "column &#39;d&#39; (all rows)" in render_watch(page_of(watch, model="VAE", source="new rows"))


def test_a_column_of_another_kind_of_number_changes(watch):
    table = rows(200, 3)
    table["n"] = np.random.default_rng(0).poisson(3.5, 200).astype(float)
    alarm = watch.update(rows(300, 2)).update(table).alarm
    assert "n" in [cause.name for cause in alarm.causes[:2]]


def test_the_alarm_stays_until_it_is_reset_and_may_come_again(watch):
    moved = rows(100, 3).assign(a=lambda table: table["a"] + 9.0)
    first = watch.update(rows(100, 2)).update(moved).alarm
    assert watch.update(rows(500, 4)).alarm.row == first.row
    assert watch.reset().alarm is None
    assert watch.update(rows(300, 5)).alarm is None
    again = watch.update(moved).alarm
    assert again.row > 1000
    assert watch.n_rows == 1100


def test_stopped_anywhere_it_goes_on_bit_for_bit(vae, tmp_path):
    stream = pd.concat([rows(300, 2), rows(150, 3) + 1.0])
    names = [f"row {i}" for i in range(450)]
    whole = Watch(vae, rows(400, 1)).update(stream, names)
    watch, path = Watch(vae, rows(400, 1)), tmp_path / "state.safetensors"
    for start, stop in ((0, 1), (1, 256), (256, 310), (310, 450)):
        watch.update(stream.iloc[start:stop], names[start:stop])
        watch.save(path)
        watch = Watch.load(path, vae)
    assert watch.alarm == whole.alarm is not None
    assert state(watch, path) == state(whole, tmp_path / "whole.safetensors")
    assert path.stat().st_size < 200_000


def test_a_name_counts_once_and_rows_without_names_always(watch, tmp_path, vae):
    table, names = rows(40, 2), list(map(str, range(40)))
    watch.update(table, names).update(table, names)
    assert watch.n_rows == 40
    watch.save(tmp_path / "state.safetensors")
    watch = Watch.load(tmp_path / "state.safetensors", vae).update(table, names)
    assert (watch.n_rows, watch.recent) == (40, names)
    assert watch.update(table).n_rows == 80
    assert watch.update(table.iloc[:0]).n_rows == 80
    with pytest.raises(ValueError, match="Watch: names must be as many as rows; got 1 for 40 rows"):
        watch.update(table, ["one"])


def test_names_that_tell_no_rows_apart_are_refused(watch):
    with pytest.raises(ValueError, match="must tell rows apart; got 'press 1' for 20 of 40 rows"):
        watch.update(rows(40, 2), ["press 1", "press 2"] * 20)
    assert watch.n_rows == 0


def test_names_are_alike_from_files_of_all_formats(watch):
    table = rows(3, 2)
    watch.update(table, [7, 8, 9]).update(table, [7.0, None, float("nan")]).update(table, [" 8 ", "", "9"])
    assert watch.n_rows == 6  # rows without a name count each time


def test_rows_since_the_change_are_offered(watch):
    names = [f"order {i}" for i in range(600)]
    watch.update(pd.concat([rows(500, 2), rows(100, 3) + 5.0]), names)
    assert watch.since == names[watch.alarm.since - 1 :]
    assert 90 <= len(watch.since) <= 110


def test_without_a_reference_the_first_rows_are_it(vae):
    watch = Watch(vae)
    assert watch.n_waiting == 200
    assert watch.update(rows(150, 2)).n_waiting == 50 + watch.n_flagged
    watch.update(rows(350, 3))
    assert (watch.n_waiting, watch.alarm) == (0, None)
    assert watch.update(rows(100, 4).assign(b=50.0)).alarm is not None


def test_and_until_then_the_share_of_odd_rows_is_watched(vae):
    alarm = Watch(vae).update(rows(60, 2) + 30.0).alarm
    assert alarm.of_odd
    assert {cause.kind for cause in alarm.causes if cause.of == "normal"} <= {"share", "score"}


def test_errors_say_what_to_do(vae):
    flagged = rows(100, 2) + 50.0
    with pytest.raises(ValueError, match="Watch: reference must have 20 rows or more; got 19"):
        Watch(vae, rows(19, 1))
    with pytest.raises(ValueError, match=r"rows that the model takes for normal; 0 of 100 are"):
        Watch(vae, flagged)
    contaminated = VAE(2, max_iter=1, contamination=0.1, random_state=0).fit(rows(60, 0))
    with pytest.raises(ValueError, match="the model has no calibration rows and it takes 20"):
        Watch(contaminated)
    assert Watch(contaminated, rows(40, 1)).alarm is None
    few = VAE(2, max_iter=1, calibration="cross", random_state=0).fit(rows(60, 0))
    with pytest.raises(ValueError, match="the rows that calibrated the model taught it, too"):
        Watch(few)
    for name, value in (("false_alarm_probability", 0), ("random_state", -1)):
        with pytest.raises(ValueError, match=f"Watch: {name} must be"):
            Watch(vae, rows(40, 1), **{name: value})


def test_a_state_of_another_model_is_refused(vae, watch, tmp_path):
    path = tmp_path / "state.safetensors"
    watch.save(path)
    other = VAE(3, max_iter=20, random_state=1).fit(rows(400, 0))
    for model in (other, VAE(3, max_iter=20, random_state=0).fit(rows(400, 0)).recalibrate(rows(100, 1))):
        with pytest.raises(ModelFileError, match="the state belongs to another model, or to this one before"):
            Watch.load(path, model)
    save(vae, tmp_path / "vae.safetensors")
    with pytest.raises(ModelFileError, match="is no state of a watch: got a VAE"):
        Watch.load(tmp_path / "vae.safetensors", vae)
    with pytest.raises(ModelFileError, match="no model but the state of a watch"):
        load(path)


def test_a_damaged_state_is_refused(vae, watch, tmp_path):
    path = tmp_path / "state.safetensors"
    watch.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(ModelFileError):
        Watch.load(path, vae)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelFileError, match="damaged"):
        Watch.load(path, vae)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda facts, arrays: facts.update(n_rows=-1), "n_rows must be"),
        (lambda facts, arrays: facts.update(recent=[None]), r"recent\[0\] must be"),
        (lambda facts, arrays: facts.pop("seed"), "seed is missing"),
        (lambda facts, arrays: arrays.update(typical=np.zeros((2, 3))), "typical must have a side of"),
        (lambda facts, arrays: arrays.pop("others.gaps"), "others.gaps"),
        (lambda facts, arrays: arrays.update({"moves.sums": arrays["moves.sums"] * np.nan}), "finite"),
        (lambda facts, arrays: arrays.update(more=np.zeros(1)), "arrays must be those of a watch"),
    ],
)
def test_a_state_that_says_the_impossible_is_refused(vae, watch, tmp_path, change, message):
    path = tmp_path / "state.safetensors"
    watch.save(path)
    header, arrays = read_model_file(path)
    change(header["watch"], arrays)
    write_model_file(path, header, arrays)
    with pytest.raises(ModelFileError, match=f"no usable state: .*{message}"):
        Watch.load(path, vae)


def blobs(n, seed):
    """Images of 12×12 levels: a bright spot on dark ground, somewhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:12, :12]
    place = rng.uniform(3, 9, (2, n, 1, 1))
    spots = 30 + 200 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 6)
    noisy = spots + rng.normal(0, 6, spots.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8).reshape(n, -1)


@pytest.fixture(scope="module")
def seer():
    return AE(3, image_shape=(1, 12, 12), hidden_channels=(), max_iter=10, random_state=0).fit(blobs(300, 0))


def test_dimmer_images_are_found_and_shown(seer, tmp_path):
    watch = Watch(seer, blobs(200, 1)).update(blobs(300, 2))
    assert watch.alarm is None
    alarm = watch.update((0.8 * blobs(60, 3)).astype(np.uint8)).alarm
    assert alarm.row <= 330
    assert "brightest pixels" in [cause.name for cause in alarm.causes]
    assert watch.usual_picture.shape == watch.recent_picture.shape == (1, 12, 12)
    assert watch.recent_picture.mean() == pytest.approx(0.8 * watch.usual_picture.mean(), rel=0.05)
    watch.save(tmp_path / "state.safetensors")
    again = Watch.load(tmp_path / "state.safetensors", seer)
    np.testing.assert_array_equal(again.recent_picture, watch.recent_picture)
    again.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == 3
    assert "Alarm at row 3" in page


def test_numbers_of_an_image_are_what_they_are_called():
    image = np.zeros((1, 3, 9, 6))
    image[0, 0, :3, 2:4] = 0.9  # red, at the top in the middle
    numbers = dict(zip(looks_in_words(3), looks(image)[0], strict=True))
    assert numbers["top center brightness"] == pytest.approx(0.3)
    assert numbers["red"] == pytest.approx(0.1)
    assert numbers["blue"] == numbers["bottom left brightness"] == numbers["darkest pixels"] == 0
    assert numbers["brightness"] == pytest.approx(0.9 / 27)
    assert numbers["brightest pixels"] == pytest.approx(0.9)


def test_shrunk_pictures_are_means():
    images = np.arange(130.0 * 4).reshape(1, 1, 130, 4)
    small = shrunk(images)
    assert small.shape == (1, 1, 44, 2)
    assert small[0, 0, 0, 0] == images[0, 0, :3, :3].mean()
    assert small[0, 0, -1, -1] == images[0, 0, 129, 3]


def test_categories_and_missing_cells_are_watched():
    def cars(n, seed, diesel, missing):
        rng = np.random.default_rng(seed)
        km = np.where(rng.random(n) < missing, np.nan, rng.normal(size=n))
        return pd.DataFrame({"km": km, "fuel": np.where(rng.random(n) < diesel, "diesel", "gas")})

    vae = VAE(2, likelihood="mixed", max_iter=5, random_state=0).fit(cars(300, 0, 0.5, 0.1))
    watch = Watch(vae, cars(300, 1, 0.5, 0.1)).update(cars(200, 2, 0.5, 0.1))
    assert watch.alarm is None
    alarm = watch.update(cars(150, 3, 0.95, 0.6)).alarm
    found = {cause.name: cause for cause in alarm.causes}
    assert {"km", "fuel=diesel", "fuel=gas"} & found.keys()


def test_a_column_whose_cells_are_all_missing_has_moved_by_no_number_of_deviations():
    def table(n, seed):
        return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, 2)), columns=["a", "b"])

    vae = VAE(2, likelihood="mixed", max_iter=5, random_state=0).fit(table(300, 0))
    watch = Watch(vae, table(300, 1)).update(table(150, 2).assign(a=np.nan))
    moved = {cause.name: cause.moved for cause in watch.alarm.causes}
    assert moved["a"] is None


def test_the_fingerprint_is_of_the_model_and_not_of_its_file(tmp_path, iris, vae):
    X, y = iris
    models = [
        vae,
        CVAE(2, max_iter=2, random_state=0).fit(X, y),
        VAE(2, max_iter=2, anomaly_score="tables", random_state=0).fit(X),
    ]
    images = AE(2, image_shape=(1, 12, 12), hidden_channels=(), max_iter=1, random_state=0).fit(blobs(120, 0))
    reader = ImageReader(image_shape=(1, 12, 12)).fit([])
    reader.dtype_ = "uint8"
    models += [images, make_pipeline(reader, images)]
    digests = []
    for model in models:
        save(model, tmp_path / "model.safetensors")
        digests.append(digest_of(model))
        assert digest_of(load(tmp_path / "model.safetensors")) == digests[-1]
    assert len(set(digests)) >= 4


def test_rows_whose_update_failed_come_again(watch):
    table, names = rows(30, 5), [f"r{i}" for i in range(30)]
    broken = table.copy()
    broken.iloc[3, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        watch.update(broken, names)
    assert watch.update(table, names).n_rows == 30


def test_names_are_taken_in_order_whatever_their_index_and_type(watch):
    names = pd.Series(np.arange(5), index=[4, 3, 2, 1, 0])
    assert watch.update(rows(5, 6), names).recent == list("01234")


def test_more_names_than_are_remembered_are_told(watch, monkeypatch):
    monkeypatch.setattr("vaetools.watch.watch._MOST_SEEN", 20)
    with pytest.warns(UserWarning, match="20 names are remembered, and the oldest 5 forgotten"):
        watch.update(rows(25, 7), [f"r{i}" for i in range(25)])


def test_a_model_that_is_fitted_anew_is_another_one():
    model = VAE(3, max_iter=2, random_state=0).fit(rows(400, 0))
    watch = Watch(model, rows(100, 1))
    model.recalibrate(rows(200, 2))
    with pytest.raises(ValueError, match="fitted or recalibrated since the watch began"):
        watch.update(rows(10, 3))


def test_a_context_may_come_beside_rows():
    def machines(n, seed, share=0.5):
        rng = np.random.default_rng(seed)
        y = pd.DataFrame({"machine": np.where(rng.random(n) < share, "large", "small")})
        level = np.where(y["machine"] == "large", 9.0, 0.0)[:, None]
        return rng.normal(size=(n, 3)) * np.where(level, 3, 1) + level, y

    beside = CVAE(2, max_iter=30, random_state=0).fit(*machines(800, 0))
    (X, y), (more, of_more), (new, of_new) = machines(600, 1), machines(300, 2, 0.9), machines(200, 3)
    watch = Watch(beside, X, y).update(more, range(300), of_more)
    assert watch.alarm is None  # of other contexts, each row as usual in its own
    moved = new + np.array([2.0, 0, 0])
    known = watch.update(moved, range(250, 450), of_new).n_rows
    assert known == 300 + 150  # names that came before are left out, with their contexts
    assert watch.alarm.causes[0].name == "0"
    names, in_X = ["0", "1", "2"], CVAE(2, max_iter=30, random_state=0, context=["machine"])
    first, told = machines(800, 0)
    in_X.fit(pd.DataFrame(first, columns=names).join(told))
    same = Watch(in_X, pd.DataFrame(X, columns=names).join(y))
    same.update(pd.DataFrame(more, columns=names).join(of_more))
    other = Watch(beside, X, y).update(more, y=of_more)
    assert same.history.equals(other.history)
    with pytest.raises(
        ValueError, match="rows are judged given their context, so that y must be a DataFrame"
    ):
        watch.update(new)


def test_an_alarm_names_the_category():
    def parts(n, seed, shares, missing=0.0):
        rng = np.random.default_rng(seed)
        site = rng.choice(list("abcd"), n, p=shares).astype(object)
        site[rng.random(n) < missing] = None
        return pd.DataFrame({"site": site, "size": rng.normal(size=n)})

    usual = [0.25, 0.25, 0.25, 0.25]
    model = VAE(2, likelihood="mixed", max_iter=5, random_state=0).fit(parts(600, 0, usual, 0.05))
    shifts = {
        "site=b": parts(300, 2, [0.1, 0.7, 0.1, 0.1]),
        "site, new or missing": parts(300, 3, usual, 0.5),
    }
    for name, new in shifts.items():
        alarm = Watch(model, parts(400, 1, usual, 0.05)).update(new).alarm
        assert (alarm.causes[0].kind, alarm.causes[0].name) == ("column", name)
        assert alarm.causes[0].moved > 0.5
        assert f"column {name!r} by +" in str(alarm)


def test_what_did_not_vary_has_moved_by_no_number_of_deviations():
    table = rows(800, 0).assign(still=1.0)
    model = VAE(3, max_iter=5, random_state=0).fit(table[:400])
    watch = Watch(model, table[400:]).update(rows(300, 8).assign(still=1.3))
    moved = {cause.name: cause.moved for cause in watch.alarm.causes}
    assert moved["still"] is None
