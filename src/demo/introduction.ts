/** What the demo says before the pictures: where everything is, and what to try. */
export interface Introduced {
  readonly service: string;
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly configFile: string;
  /** Where v2's faults are set. */
  readonly canaryUrl: string;
  readonly users: number;
  /** null: until Ctrl-C. */
  readonly durationMs: number | null;
  /** How the commands are called where the demo was started. */
  readonly command: string;
}

/** Commands look there by themselves. */
const USUAL_ADMIN_URL = 'http://127.0.0.1:9090';

export function introduction(about: Introduced): string[] {
  const { gatewayUrl, adminUrl, durationMs } = about;
  return [
    '',
    `  Coalmine demo: two iris models, the gateway in front, ${about.users} simulated users`,
    '',
    `  dashboard  ${adminUrl}/`,
    `  gateway    ${gatewayUrl}/predict`,
    `  metrics    ${adminUrl}/metrics`,
    `  config     ${about.configFile}  (edit and save it: taken over at once)`,
    '',
    '  Watch the rollout of v2, go on to its next step, take it back, begin it again',
    ...['get -w', 'promote', 'abort', 'retry'].map((verb) => `    ${commandLine(about, verb)}`),
    '  Ask as the user ada (and the canary with -H "x-canary: always")',
    `    curl -si ${gatewayUrl}/predict -H 'x-user-id: ada' \\`,
    `      -d '{"features":[6.1,2.8,4.7,1.2]}'`,
    '  Break v2, and mend it',
    ...['errors', 'slow', 'good'].map(
      (mode) => `    curl -s -X PUT ${about.canaryUrl}/faults -d '{"mode":"${mode}"}'`,
    ),
    '',
    durationMs === null ? '  Ctrl-C ends it.' : `  It ends by itself after ${durationMs / 1000} s.`,
  ];
}

function commandLine({ command, service, adminUrl }: Introduced, text: string): string {
  const [verb, ...options] = text.split(' ');
  const server = adminUrl === USUAL_ADMIN_URL ? [] : ['--server', adminUrl];
  return [command, verb, service, ...options, ...server].join(' ');
}
