/** Data sets on a Hub: what files of rows there are, and one of them opened where it lies. */
import type { Commands } from "../protocol.ts";
import type { HubAccess } from "./hubAccess.ts";
import { openHubFile, repositoryFiles, repositoryInfo, type HubFile, type Repository } from "./hubClient.ts";
import { parseHubId, repositoryName } from "./hubId.ts";

type HubDataAnswer = Commands["inspectHubData"]["answer"];

/** Files of rows, also compressed ones. */
const rowFile = /\.(?:parquet|jsonl|ndjson|json|csv|tsv)(?:\.gz)?$/;
/** What the Hub keeps beside the rows. */
const notRows = /(?:^|\/)(?:dataset_infos?|dataset_dict|state|\.[^/]*)\.json$/;
/** Of more files, only sizes are told: each count of rows is a question of its own. */
const MOST_COUNTED = 24;

/** Lists the files of rows; rows are counted where a parquet file says how many it has. Throws `HubError`. */
export async function inspectHubData(
  access: HubAccess,
  question: { readonly repo: string },
): Promise<HubDataAnswer> {
  const repo = repositoryName(question.repo, access.hubUrl());
  const asked: Repository = { kind: "dataset", repo, revision: "main" };
  const info = await repositoryInfo(access, asked);
  const repository = { ...asked, revision: info.commit };
  const files = (await repositoryFiles(access, repository)).filter(
    ({ name }) => rowFile.test(name) && !notRows.test(name),
  );
  const counted = files.filter(({ name }) => name.endsWith(".parquet")).slice(0, MOST_COUNTED);
  const rows = new Map(
    await Promise.all(
      counted.map(async (file) => [file, await countRows(access, repository, file)] as const),
    ),
  );
  return {
    license: info.license,
    splits: files.map((file) => ({
      id: `hub:${repo}#${file.name}`,
      label: file.name,
      rows: rows.get(file) ?? null,
      bytes: file.bytes,
    })),
  };
}

/** Null where the file is no parquet file after all. */
async function countRows(access: HubAccess, repository: Repository, file: HubFile): Promise<number | null> {
  const { parquetMetadataAsync } = await import("hyparquet");
  const blob = await openHubFile(access, repository, file.name);
  // What goes wrong with the Hub is an error; what is wrong with the file is said when it is read.
  let failed: unknown = null;
  const slice = (begin: number, end = blob.size) =>
    blob
      .slice(begin, end)
      .arrayBuffer()
      .catch((error: unknown) => {
        failed = error;
        throw error;
      });
  try {
    const metadata = await parquetMetadataAsync({ byteLength: blob.size, slice });
    return Number(metadata.num_rows);
  } catch {
    if (failed !== null) throw failed;
    return null;
  }
}

/** Opens a file of rows: a parquet file is then read only where the rows are that are asked for. Throws `HubError`. */
export async function openHubData(
  access: HubAccess,
  id: string,
): Promise<{ readonly name: string; readonly bytes: Blob }> {
  const { repo, revision, file } = parseHubId(id);
  const name = file ?? "";
  return { name, bytes: await openHubFile(access, { kind: "dataset", repo, revision }, name) };
}
