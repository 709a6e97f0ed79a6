/** The tab: who judges, and who is kept aside. */
export function JudgesView() {
  return <section className="panel" aria-label="Judges" />;
}
