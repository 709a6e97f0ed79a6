import { Button } from "@mantine/core";
import { downloadZip } from "../../../state/download.ts";
import { raiseError } from "../../../state/messageStore.ts";
import { CopyButton } from "../CopyButton.tsx";
import { Icon } from "../Icon.tsx";

/** Texts that continue a run elsewhere. */
export interface ProjectFilesProps {
  /** Of the zip file, without its ending. */
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** Longest part of a file that is shown; the zip has all of it. */
const shownCharacters = 20_000;

/** The files of a project: to be read, copied one by one, or saved as one zip. */
export function ProjectFiles({ name, files }: ProjectFilesProps) {
  return (
    <div className="project-files">
      <div className="dialog-actions">
        <Button
          size="xs"
          leftSection={<Icon name="save" size={14} />}
          onClick={() => {
            downloadZip(`${name}.zip`, files).catch(raiseError);
          }}
        >
          Save all as .zip
        </Button>
      </div>
      {files.map((file, index) => (
        <details key={file.name} open={index === 0}>
          <summary>{file.name}</summary>
          <div className="project-file">
            <CopyButton text={file.text} label={`Copy ${file.name}`} />
            <pre tabIndex={0} role="region" aria-label={file.name}>
              {file.text.slice(0, shownCharacters)}
              {file.text.length > shownCharacters && "\n…"}
            </pre>
          </div>
        </details>
      ))}
    </div>
  );
}
