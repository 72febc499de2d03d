/** The Python that is selected in VS Code, as far as Microsoft's Python extension says it. */
import * as vscode from 'vscode';

const EXTENSION = 'ms-python.python';

/** The part of that extension's interface that is asked for. */
interface Python {
  environments?: { getActiveEnvironmentPath?: (resource?: vscode.Uri) => { path?: unknown } | undefined };
}

/** An interpreter, or the folder of an environment; nothing if the extension is not there. */
export async function selectedPython(resource: vscode.Uri | undefined): Promise<{ python?: string }> {
  try {
    const python = await vscode.extensions.getExtension<Python | undefined>(EXTENSION)?.activate();
    const path = python?.environments?.getActiveEnvironmentPath?.(resource)?.path;
    return typeof path === 'string' && path !== '' ? { python: path } : {};
  } catch {
    return {}; // a run must not wait for another extension's trouble to be mended
  }
}
