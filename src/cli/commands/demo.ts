import type { Command } from 'commander';
import type { CommandContext, DemoOptions } from '../context.ts';

/** The options are passed on as they are typed; the demo itself says what is wrong with them. */
export function addDemo(program: Command, { demo, action }: CommandContext): void {
  program
    .command('demo')
    .description('start two iris models, the gateway in front of them and a crowd of users; Ctrl-C ends it')
    .option('--rate <number>', 'requests a second (80 if not given)')
    .option('--users <number>', 'how many users the crowd has (500 if not given)')
    .option('--duration <time>', 'how long it runs, such as 30s (until Ctrl-C if not given)')
    .option('--fault <mode>', 'what is wrong with v2: good, slow, errors, overconfident or shifted')
    .option('--port <number>', "the gateway's port (8080 if not given, another one if that is taken)")
    .option('--admin-port <number>', 'the admin port (9090 if not given, another one if that is taken)')
    .action(action((options: DemoOptions) => demo(options)));
}
