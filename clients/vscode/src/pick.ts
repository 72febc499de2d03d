/** Questions to the user: which agents, which run, which session, about what. */
import * as vscode from 'vscode';

import type { Runs } from './runs';
import type { Server } from './server';
import { everyone, type Agent, type Run, type Session } from './wire';
import { elapsed, summary } from './words';

const CHOICE = 'agents';
const TEST = 'testCommand';

interface AgentItem extends vscode.QuickPickItem {
  agent: Agent;
}

function agentItem(agent: Agent): AgentItem {
  const state = agent.ready ? '' : agent.installed ? 'not ready' : 'not installed';
  const icon = agent.ready ? '$(pass)' : agent.installed ? '$(warning)' : '$(circle-slash)';
  return {
    agent,
    label: `${icon} ${agent.agentType}`,
    description: [agent.version ?? '', state].filter((part) => part !== '').join(' · '),
    detail: agent.ready ? '' : agent.hint,
  };
}

async function agents(server: Server): Promise<Agent[]> {
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'Looking for agents' },
    () => server.ask<{ agents: Agent[] }>('listAgents'),
  );
  const found = answer.agents.filter((one) => one.agentType !== 'digest');
  return found.sort((a, b) => Number(b.ready) - Number(a.ready));
}

/** Several agents; the last choice is made already. */
export async function pickAgents(
  server: Server,
  state: vscode.Memento,
): Promise<string[] | undefined> {
  const items = (await agents(server)).map(agentItem);
  const last = state.get<string[]>(CHOICE);
  for (const item of items) {
    item.picked = last === undefined ? item.agent.ready : last.includes(item.agent.agentType);
  }
  const chosen = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    title: 'Who debugs it?',
    placeHolder: 'Agents work at the same time, each in its own copy of your code',
    ignoreFocusOut: true,
  });
  if (chosen === undefined || chosen.length === 0) {
    return undefined;
  }
  const names = chosen.map((item) => item.agent.agentType);
  await state.update(CHOICE, names);
  return names;
}

/** One agent. */
export async function pickAgent(server: Server): Promise<string | undefined> {
  const items = (await agents(server)).map(agentItem);
  const chosen = await vscode.window.showQuickPick(items, { title: 'Which agent joins in?' });
  return chosen?.agent.agentType;
}

/** A command that fails while the bug is there; "" for none, undefined for a change of mind. */
export async function pickTest(state: vscode.Memento): Promise<string | undefined> {
  const command = await vscode.window.showInputBox({
    title: 'A command that fails while the bug is there (optional)',
    placeHolder: 'such as: python -m unittest',
    prompt: 'Enter alone: the agents look for themselves',
    value: state.get(TEST, ''),
    ignoreFocusOut: true,
  });
  if (command !== undefined) {
    await state.update(TEST, command.trim());
  }
  return command?.trim();
}

/** One of the runs; the only one without a question. */
export async function pickRun(runs: Runs, fits: (run: Run) => boolean): Promise<Run | undefined> {
  const found = runs.all.filter(fits);
  if (found.length < 2) {
    if (found.length === 0) {
      void vscode.window.showInformationMessage('There is no debug run for that.');
    }
    return found[0];
  }
  const items = found.map((run) => ({
    label: run.title,
    description: summary(run),
    detail: new Date(run.createdAt).toLocaleString(),
    run,
  }));
  return (await vscode.window.showQuickPick(items, { title: 'Which debug run?' }))?.run;
}

/** One of the sessions. */
export async function pickSession(
  runs: Runs,
  fits: (session: Session) => boolean,
): Promise<Session | undefined> {
  const items = runs.all.flatMap((run) =>
    everyone(run)
      .filter(fits)
      .map((session) => ({
        label: session.title,
        description: session.agentType,
        detail: `${session.status}, ${elapsed(session, Date.now())}`,
        session,
      })),
  );
  if (items.length === 0) {
    void vscode.window.showInformationMessage('There is no session for that.');
    return undefined;
  }
  if (items.length === 1) {
    return items[0]?.session;
  }
  const chosen = await vscode.window.showQuickPick(items, { title: 'Which session?', matchOnDetail: true });
  return chosen?.session;
}
