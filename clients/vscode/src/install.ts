/** Runs uv to its end, and says in one sentence why it could not. */
import { execFile } from 'node:child_process';

import { NoServer, type Program } from './find';

/** Told all that uv says, for the log. */
type Log = (text: string) => void;

/** Whether the server can be started without installing anything. */
export async function installed(program: Program, signal: AbortSignal): Promise<boolean> {
  if (program.install === undefined) {
    return true;
  }
  return run(program.command, program.install.ask, signal).then(
    () => true,
    () => false,
  );
}

export async function install(program: Program, signal: AbortSignal, log: Log): Promise<void> {
  try {
    log(await run(program.command, program.install?.make ?? [], signal));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    log(said);
    throw new NoServer(`uv could not install the Bug LSP server: ${reason(said)}`, 'Try Again');
  }
}

/** What it prints, or an error with what it complains. */
async function run(program: string, args: string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { signal }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout.trim());
      } else {
        reject(new Error(stderr.trim() === '' ? error.message : stderr.trim()));
      }
    });
  });
}

/** Of uv's chain of causes what was tried and what stood in the way at last. */
export function reason(said: string): string {
  const chain = said.matchAll(/^\s*(?:error:|cause:|Caused by:|×|╰─▶) *(.+)$/gmu);
  const links = [...chain].map((link) => link[1]);
  return links.length === 0 ? said : [...new Set([links[0], links.at(-1)])].join(': ');
}
