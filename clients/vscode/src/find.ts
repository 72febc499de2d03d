/** Finds the server: the user's setting, then the one in the extension through uv, then the PATH. */
import { access, constants, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

export interface Program {
  command: string;
  args: string[];
  /** Where it is from, for the user. */
  from: string;
  /** How to ask whether it is installed, and what installs it. */
  install?: { ask: string[]; make: string[] };
}

/** What a click does about it. */
export type Remedy = 'Install uv' | 'Open Settings' | 'Restart Server' | 'Show Log' | 'Try Again';

/** Why there is no server, in a sentence for the user. */
export class NoServer extends Error {
  constructor(
    message: string,
    readonly remedy: Remedy,
  ) {
    super(message);
  }
}

export interface Wishes {
  path: string;
  uv: string;
  extras: string[];
}

const UV = 'uv';
const UNIX = process.platform !== 'win32';

export async function find(wishes: Wishes, extension: string): Promise<Program> {
  if (wishes.path !== '') {
    const command = await onPath(wishes.path);
    if (command === undefined) {
      throw unknown(wishes.path, 'bugLsp.server.path');
    }
    return { command, args: ['serve'], from: 'the setting bugLsp.server.path' };
  }
  const wheel = await embedded(extension);
  const uv = await onPath(wishes.uv);
  if (wheel !== undefined && uv !== undefined) {
    return throughUv(uv, wheel, wishes.extras);
  }
  const command = await onPath('bug-lsp');
  if (command !== undefined) {
    return { command, args: ['serve'], from: 'the PATH' };
  }
  if (wishes.uv !== UV) {
    throw unknown(wishes.uv, 'bugLsp.server.uv');
  }
  throw new NoServer(
    'Bug LSP runs its server with uv, which is not on the PATH. Install uv, then say "Restart Server".',
    'Install uv',
  );
}

function unknown(name: string, setting: string): NoServer {
  return new NoServer(`There is no program ${name}, which the setting ${setting} names.`, 'Open Settings');
}

/** Once it is installed uv looks at nothing outside: it starts at once, and without a network. */
function throughUv(uv: string, wheel: string, extras: string[]): Program {
  const from = extras.length > 0 ? `${wheel}[${extras.join(',')}]` : wheel;
  const server = ['--quiet', '--from', from, 'bug-lsp'];
  const installed = ['tool', 'run', '--offline', ...server];
  return {
    command: uv,
    args: [...installed, 'serve'],
    from: 'the extension',
    install: { ask: [...installed, '--version'], make: ['tool', 'run', ...server, '--version'] },
  };
}

/** The wheel that the extension brings along. */
async function embedded(extension: string): Promise<string | undefined> {
  const folder = join(extension, 'server');
  const names = await readdir(folder).catch(() => []);
  const name = names.find((one) => one.endsWith('.whl'));
  return name === undefined ? undefined : join(folder, name);
}

/** Where a program is. Installers put theirs where the PATH may be only after a new login. */
async function onPath(name: string): Promise<string | undefined> {
  const full = name.replace(/^~(?=[\\/])/, homedir());
  if (isAbsolute(full)) {
    return (await runs(full)) ? full : undefined;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  // A relative folder would be one of the workspace's.
  for (const folder of [...folders, join(homedir(), '.local', 'bin')].filter(isAbsolute)) {
    for (const ending of UNIX ? [''] : ['.exe', '.cmd']) {
      const path = join(folder, `${full}${ending}`);
      if (await runs(path)) {
        return path;
      }
    }
  }
  return undefined;
}

async function runs(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
