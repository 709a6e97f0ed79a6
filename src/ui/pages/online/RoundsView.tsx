/** The tab: the rounds of the run and what they cost. */
export function RoundsView() {
  return <section className="panel" aria-label="Rounds" />;
}
