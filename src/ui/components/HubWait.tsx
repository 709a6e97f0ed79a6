/** Whom the page waits for, and the way to stop waiting. */
export interface HubWaitProps {
  readonly host: string;
  readonly onStop: () => void;
}

/** Stands where the Hub's answer will be: a host that is out of reach is asked several times. */
export function HubWait({ host, onStop }: HubWaitProps) {
  return (
    <p className="note" role="status">
      Asking {host}… A host that cannot be reached is given up after about a minute.{" "}
      <button type="button" className="link-button" onClick={onStop}>
        Stop waiting
      </button>
    </p>
  );
}
