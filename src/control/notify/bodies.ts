import { assertNever } from '../../core/model.ts';
import type { Notification, NotifyKind } from '../../core/rollout/plan.ts';
import { type NotifyMessage, stepOf, titleOf } from './message.ts';

/** A message as one of the formats that receivers understand. */
export interface Body {
  readonly contentType: string;
  readonly text: string;
}

/** `id` is the message's own, the same for every attempt, so that a receiver can tell a repeat. */
export function bodyOf(format: Notification['format'], message: NotifyMessage, id: string): Body {
  switch (format) {
    case 'plain':
      return { contentType: 'application/json', text: JSON.stringify({ id, ...plainOf(message) }) };
    case 'slack':
      return { contentType: 'application/json', text: JSON.stringify(slackOf(message)) };
    case 'cloudevents':
      return {
        contentType: 'application/cloudevents+json; charset=utf-8',
        text: JSON.stringify(cloudEventOf(message, id)),
      };
    default:
      return assertNever(format);
  }
}

function plainOf(message: NotifyMessage): object {
  const { kind, wallMs, evidence, ...rest } = message;
  return {
    event: kind,
    title: titleOf(message),
    ...rest,
    evidence: evidenceOf(evidence),
    time: new Date(wallMs).toISOString(),
  };
}

/** CloudEvents 1.0, structured mode. */
function cloudEventOf(message: NotifyMessage, id: string): object {
  const { kind, service, gateway, wallMs } = message;
  return {
    specversion: '1.0',
    id,
    source: gateway === undefined ? '/coalmine' : `/coalmine/${encodeURIComponent(gateway)}`,
    type: `io.coalmine.rollout.${kind}`,
    subject: service,
    time: new Date(wallMs).toISOString(),
    datacontenttype: 'application/json',
    data: plainOf(message),
  };
}

/** The side bar; Slack's own colours for good, warning and danger. */
const COLORS: Readonly<Record<NotifyKind, string>> = {
  started: '#439FE0',
  step: '#439FE0',
  paused: '#DAA038',
  aborted: '#A30200',
  completed: '#2EB886',
};

function slackOf(message: NotifyMessage): object {
  const title = escapeSlack(titleOf(message));
  const evidence = evidenceOf(message.evidence).map((line) => `• ${escapeSlack(line)}`);
  const attachment = {
    color: COLORS[message.kind],
    fallback: title,
    text: [escapeSlack(cut(message.cause)), ...evidence].join('\n'),
    fields: slackFields(message),
    footer: escapeSlack(message.gateway === undefined ? 'coalmine' : `coalmine ${message.gateway}`),
    ts: Math.floor(message.wallMs / 1000),
  };
  return { text: title, attachments: [attachment] };
}

function slackFields(message: NotifyMessage): object[] {
  const { stable, canary, weight, number, actor } = message;
  const step = stepOf(message);
  const fields: [string, string][] = [
    ['Versions', `${stable} → ${canary}`],
    ['Weight', `${weight} %`],
    ...(step === null ? [] : [['Step', step] as [string, string]]),
    ['Rollout', `${number}`],
    ['By', actor],
  ];
  return fields.map(([title, value]) => ({ title, value: escapeSlack(cut(value)), short: true }));
}

/** The three characters that begin entities, links and mentions. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const MAX_LINES = 20;
const MAX_LINE_CHARS = 500;

function evidenceOf(evidence: readonly string[]): string[] {
  const lines = evidence.slice(0, MAX_LINES).map(cut);
  const more = evidence.length - lines.length;
  return more > 0 ? [...lines, `… and ${more} more`] : lines;
}

function cut(line: string): string {
  return line.length <= MAX_LINE_CHARS ? line : `${[...line].slice(0, MAX_LINE_CHARS - 1).join('')}…`;
}
