/* Which hit of the search is first: headings of that name, then guides, then the reference, then histories. */
const WEIGHTS = [
  [/^(CHANGELOG|RELEASING|CODE_OF_CONDUCT|benchmarks\/|notebooks\/README|reports\/)/, 0.4],
  [/^docs\/(about|guide|index|results|design)$|^(CONTRIBUTING|SECURITY)/, 0.8],
  [/^docs\/reference\/api\/vaetools/, 0.6],
  [/^docs\/reference\/(api|cli)/, 1],
  [/^docs\/reference\/glossary/, 1.2],
  [/^docs\//, 1.2],
];

var Scorer = {
  score: ([name, , anchor, , score, , kind]) => {
    const found = WEIGHTS.find(([pattern]) => pattern.test(name));
    return score * (found ? found[1] : 1) * (kind === "title" && anchor ? 3 : 1);
  },
  objNameMatch: 11,
  objPartialMatch: 4,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
