/* Sphinx finds pages that have every word of a query, and ranks them by one. Here all words count, the rare ones more:
   as title, as what people type who look for the page (docs/_search.toml), or in its text. A page may lack some. A hit
   opens at the section whose title has the words that the page's lacks. */
document.addEventListener("DOMContentLoaded", () => {
  const stemmer = new Stemmer();
  const stems = (text) => splitQuery(text.toLowerCase()).filter((word) => !stopwords.has(word))
    .map((word) => stemmer.stemWord(word));
  const filesOf = (terms, word) => (Object.hasOwn(terms, word) ? [terms[word]].flat() : []);
  let phrases = null; // of every file, each a list of stems
  let sections = null; // of every file, with the stems of their titles

  const strengths = (word) => {
    const { terms, titleterms } = Search._index;
    const found = new Map();
    const mark = (files, score) => files.forEach((file) => found.set(file, Math.max(score, found.get(file) ?? 0)));
    mark(filesOf(terms, word), Scorer.term);
    mark(filesOf(titleterms, word), Scorer.title);
    phrases.forEach((each, file) => each.flat().forEach((other) => {
      if (other === word) mark([file], Scorer.title);
      else if (word.length > 3 && other.length > 3 && (other.startsWith(word) || word.startsWith(other)))
        mark([file], Scorer.partialTitle); // noisy, noise
    }));
    for (let start = word; !found.size && start.length > 3; start = start.slice(0, -1)) // half a word, or a typo
      for (const [words, score] of [[terms, Scorer.partialTerm], [titleterms, Scorer.partialTitle]])
        Object.keys(words).filter((term) => term.startsWith(start)).forEach((term) => mark(filesOf(words, term), score));
    return found;
  };

  const sectionsOf = ({ alltitles, titles }) => {
    const found = titles.map((title) => [{ anchor: "", title, stems: [] }]);
    for (const [title, places] of Object.entries(alltitles))
      for (const [file, id] of places.filter(([, id]) => id !== null))
        found[file].push({ anchor: `#${id}`, title: `${titles[file]} > ${title}`, stems: stems(title) });
    return found;
  };
  const sectionOf = (file, words) => {
    sections ??= sectionsOf(Search._index);
    const ofPage = stems(Search._index.titles[file]);
    const left = words.filter((word) => !ofPage.includes(word)); // to be found in the section's title
    const fits = ({ stems }) => left.length && left.every((word) => stems.includes(word));
    return sections[file].find(fits) ?? sections[file][0];
  };

  Search.performTermsSearch = (wanted) => {
    const { docnames, filenames } = Search._index;
    phrases ??= docnames.map((name) => PAGES[name].words.split(",").map(stems));
    const words = [...wanted];
    const found = words.map(strengths).filter((scores) => scores.size);
    const weights = found.map((scores) => Math.log(1 + docnames.length / scores.size));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const likeness = (phrase) => { // where one contains the other
      const shared = words.filter((word) => phrase.includes(word)).length;
      const [less, more] = [words.length, phrase.length].sort((a, b) => a - b);
      return shared === less && shared >= Math.min(2, words.length) ? less / more : 0;
    };
    const score = (file) => found.reduce((sum, scores, i) => sum + (weights[i] * (scores.get(file) ?? 0)) / total, 0);
    const bonus = (file) => 3 * Scorer.title * Math.max(...phrases[file].map(likeness)) ** 2;
    const scored = docnames.map((_, file) => [file, score(file)]);
    const best = Math.max(...scored.map(([, value]) => value));
    return scored.filter(([, value]) => value > 0 && value >= best / 3).map(([file, value]) => {
      const { anchor, title } = sectionOf(file, words);
      return [docnames[file], title, anchor, null, value + bonus(file), filenames[file], SearchResultKind.text];
    });
  };

  const results = document.getElementById("search-results");
  const bare = (span) => { // Sphinx puts what a page is about into parentheses
    span.firstChild.textContent = span.firstChild.textContent.replace(/^ \(/, "");
    span.lastChild.textContent = span.lastChild.textContent.replace(/\)$/, "");
  };
  if (results)
    new MutationObserver((changes) => changes.flatMap((change) => [...change.addedNodes]).forEach((node) => {
      if (node.matches?.("li")) node.querySelectorAll(":scope > a + span").forEach(bare);
    })).observe(results, { childList: true, subtree: true });

  const objectsWith = Search.performObjectSearch; // letters anywhere: GAN in organization, RAM in set_params
  Search.performObjectSearch = (letters, ...others) => objectsWith(letters, ...others).filter(([, path]) => {
    const name = path.split(".").at(-1);
    const words = name.matchAll(/(?<![A-Za-z0-9])[A-Za-z0-9]|(?<=[a-z])[A-Z]/g);
    return [...words].some(({ index }) => name.slice(index).toLowerCase().startsWith(letters));
  });

  const perform = Search._performSearch;
  Search._performSearch = (...query) => {
    const results = perform(...query);
    for (const result of results) result[3] ??= PAGES[result[0]].summary;
    return results;
  };
});
