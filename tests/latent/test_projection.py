import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from vaetools import VAE, LatentMap

REAL = pytest.mark.parametrize(
    "method", ["tsne", "umap"]
)  # UMAP's compilation takes half a minute per process


@pytest.fixture(scope="module")
def clusters():
    """Three far clusters of 40 codes in 5 dimensions, and which is which, in random order."""
    rng = np.random.default_rng(0)
    which = rng.permutation(np.repeat(np.arange(3), 40))
    return 20 * np.eye(3, 5)[which] + rng.normal(size=(120, 5)), which


@pytest.fixture
def quick_layout(monkeypatch):
    """A layout that is no projection, and takes no time."""

    def bend(settings, codes):
        return np.sin(3 * codes[:, : settings.n_components]) + codes[:, -1:] ** 2

    monkeypatch.setattr("vaetools.latent.projection._LAYOUTS", {"umap": bend, "tsne": bend})


@REAL
def test_a_map_keeps_clusters_together_obeys_its_seed_and_places_new_codes(method, clusters, capsys):
    codes, which = clusters
    train, new = codes[:90], codes[90:]
    n_threads = torch.get_num_threads()
    latent_map = LatentMap(method=method, perplexity=10, random_state=1).fit(train)
    assert torch.get_num_threads() == n_threads
    assert capsys.readouterr() == ("", "")
    neighbors = KNeighborsClassifier(5).fit(latent_map.embedding_, which[:90])
    assert neighbors.score(latent_map.embedding_, which[:90]) == 1
    assert neighbors.score(latent_map.transform(new), which[90:]) == 1
    assert np.array_equal(latent_map.transform(train), latent_map.embedding_)
    again = clone(latent_map).fit(train[::-1])
    assert np.array_equal(again.embedding_[::-1], latent_map.embedding_)
    other = clone(latent_map).set_params(random_state=2, verbose=1, n_components=3).fit_transform(train)
    assert other.shape == (90, 3)
    assert "100%" in capsys.readouterr().err
    assert np.isfinite(LatentMap(method=method, random_state=0).fit_transform(train[:5])).all()


@pytest.mark.usefixtures("quick_layout")
@parametrize_with_checks([LatentMap(), LatentMap(method="pca"), LatentMap(method="tsne", n_components=3)])
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", ["umap", "pca"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_place_depends_on_its_code_alone(method, dtype, clusters, quick_layout):
    codes = clusters[0].astype(dtype)
    latent_map = LatentMap(method=method, random_state=0).fit(codes[:80])
    new = codes[80:]
    together = latent_map.transform(new)
    assert together.dtype == latent_map.embedding_.dtype == dtype
    order = np.random.default_rng(0).permutation(len(new))
    alone = np.concatenate([latent_map.transform(code[None]) for code in new])
    tolerance = 1e-6 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(
        latent_map.transform(new[order]), together[order], rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(alone, together, rtol=tolerance, atol=tolerance)
    together[:] = 0
    latent_map.fit_transform(codes)[:] = 0
    assert latent_map.embedding_.any()


def test_principal_components(clusters):
    codes, _ = clusters
    latent_map = LatentMap(method="pca").fit(codes[:80])
    peer = PCA(2).fit(codes[:80])
    for ours, theirs in (
        (latent_map.embedding_, peer.transform(codes[:80])),
        (latent_map.transform(codes), peer.transform(codes)),
    ):
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)


@pytest.mark.parametrize(
    "codes",
    [
        np.ones((1, 5)),
        np.random.default_rng(0).normal(size=(2, 5)),
        np.random.default_rng(0).normal(size=(4, 5)).repeat(20, axis=0),
        np.random.default_rng(0).normal(size=(20, 1)),
        np.random.default_rng(0).normal(size=(20, 2)),
        np.full((30, 4), 7.0),
    ],
    ids=["1 code", "2 codes", "4 different codes", "1 dimension", "2 dimensions", "equal codes"],
)
@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
def test_what_needs_no_layout_is_rotated(codes, method):
    latent_map = LatentMap(method=method).fit(codes)
    distances = np.linalg.norm(latent_map.embedding_[:, None] - latent_map.embedding_, axis=2)
    assert latent_map.embedding_.shape == (len(codes), 2)
    if codes.shape[1] <= 2 or len(codes) < 3:
        np.testing.assert_allclose(distances, np.linalg.norm(codes[:, None] - codes, axis=2), atol=1e-12)
    np.testing.assert_allclose(latent_map.transform(codes), latent_map.embedding_, atol=1e-12)
    assert not latent_map.off_map(codes).any()
    assert latent_map.off_map(codes + 1e3).all()


def test_equal_codes_share_a_place_and_are_laid_out_once(clusters, monkeypatch):
    seen = []
    monkeypatch.setitem(
        sys.modules["vaetools.latent.projection"]._LAYOUTS,
        "umap",
        lambda settings, codes: seen.append(codes) or np.random.default_rng(0).normal(size=(len(codes), 2)),
    )
    codes = clusters[0][:10]
    latent_map = LatentMap().fit(np.tile(codes, (3, 1)))
    assert seen[0].shape == (10, 5)
    assert np.array_equal(latent_map.embedding_, np.tile(latent_map.embedding_[:10], (3, 1)))


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_the_size_of_codes_does_not_matter(factor, clusters, quick_layout):
    codes, _ = clusters
    expected = LatentMap().fit(codes[:80]).transform(codes)
    np.testing.assert_allclose(
        LatentMap().fit(factor * codes[:80]).transform(factor * codes), expected, rtol=1e-6
    )


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_promised_share_of_new_codes_is_off_the_map(share):
    codes = np.random.default_rng(0).normal(size=(6000, 4))
    latent_map = LatentMap(method="pca").fit(codes[:2000])
    off = latent_map.off_map(codes[2000:], share=share)
    assert abs(off.mean() - share) < 4 * np.sqrt(share * (1 - share) * (1 / 4000 + 1 / 2000))
    assert off.mean() > 0
    assert latent_map.off_map(codes[:100] + 12, share=share).all()
    alone = np.concatenate([latent_map.off_map(code[None], share=share) for code in codes[2000:2200]])
    assert np.array_equal(alone, off[:200])


def test_what_lies_among_copies_is_on_the_map():
    codes = np.random.default_rng(0).normal(size=(220, 3))
    copies = LatentMap(method="pca").fit(np.repeat(codes[:200], 30, axis=0))
    assert copies.off_map(codes[200:]).mean() < 0.2
    assert copies.off_map(codes + 100).all()


def test_spacing_is_that_of_a_sample_of_many_codes(monkeypatch):
    codes = np.random.default_rng(0).normal(size=(500, 3))
    distances = np.sort(np.linalg.norm(codes[:, None] - codes, axis=2), axis=1)[:, 1:6].mean(axis=1)
    latent_map = LatentMap(method="pca", n_neighbors=5)
    np.testing.assert_allclose(latent_map.fit(codes).spacing_, np.sort(distances))
    monkeypatch.setattr("vaetools.latent.projection._N_SPACINGS", 50)
    assert np.isin(latent_map.fit(codes).spacing_, distances).all()
    assert len(latent_map.spacing_) == 50


def test_in_a_pipeline_and_with_names(iris, quick_layout):
    X = pd.DataFrame(iris[0], columns=list("abcd"))
    pipeline = make_pipeline(VAE(3, max_iter=2, random_state=0), LatentMap(random_state=0))
    pipeline.set_output(transform="pandas").fit(X)
    assert pipeline.get_feature_names_out().tolist() == ["latentmap0", "latentmap1"]
    assert pipeline[-1].feature_names_in_.tolist() == ["vae0", "vae1", "vae2"]
    places = pipeline.transform(X)
    assert places.columns.tolist() == ["latentmap0", "latentmap1"]
    assert places.shape == (150, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "mds"}, "LatentMap: method must be 'umap', 'tsne' or 'pca'; got 'mds'"),
        ({"n_components": 0}, "n_components must be a positive integer; got 0"),
        ({"n_components": 2.0}, "got 2.0"),
        ({"n_neighbors": 1}, "n_neighbors must be an integer at least 2; got 1"),
        ({"n_neighbors": True}, "got True"),
        ({"perplexity": 0.5}, "perplexity must be a number at least 1; got 0.5"),
        ({"perplexity": "many"}, "got 'many'"),
    ],
)
def test_a_bad_parameter_is_named(parameters, message, clusters):
    with pytest.raises(ValueError, match=message):
        LatentMap(**parameters).fit(clusters[0])


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_a_bad_share_is_named(share, clusters):
    with pytest.raises(ValueError, match=f"share must be a number above 0 and below 1; got {share}"):
        LatentMap(method="pca").fit(clusters[0]).off_map(clusters[0], share=share)


def test_without_opentsne_it_is_said_what_to_install(clusters, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(ImportError, match=r"method='tsne' needs the package openTSNE.*'vaetools\[tsne\]'"):
        LatentMap(method="tsne").fit(clusters[0])
