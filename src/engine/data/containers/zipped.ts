import { openZip } from "../../files/zip.ts";
import { unreadable, type DataFile } from "./dataFile.ts";

/** Files that archives hold beside what they are for. */
const BESIDE = /(^|\/)(__MACOSX\/|\.)/;

/** The one file of data in a zip archive; throws `DatasetError` (FIL-1) where there is none or more than one. */
export async function unzipped(
  { name, bytes }: DataFile,
  isData: (name: string) => boolean,
): Promise<DataFile> {
  const archive = await openZip(bytes, name);
  const found = archive.names.filter((member) => isData(member) && !BESIDE.test(member));
  const [member] = found;
  if (member === undefined || found.length > 1) {
    const listed = archive.names.slice(0, 5).join(", ");
    throw unreadable(
      name,
      `it holds ${found.length} files of data, expected one (${listed || "it is empty"}). Unpack it and choose the files.`,
    );
  }
  return { name: member.slice(member.lastIndexOf("/") + 1), bytes: await archive.open(member) };
}
