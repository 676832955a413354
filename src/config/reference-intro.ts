import { MAX_PATTERN_CHARS, MAX_PATTERN_TEXT_CHARS } from './pattern.ts';

/** A whole config, small; a test loads it. */
export const REFERENCE_EXAMPLE = `# yaml-language-server: $schema=./coalmine.schema.json
listen: 0.0.0.0:8080
services:
  iris-api:
    match: { host: api.example.com, path: /predict }
    versions:
      v1: { url: http://iris-v1:8080 }
      v2: { url: http://iris-v2:8080 }
    stable: v1
    canary: v2
    weight: 5
    sticky: { by: [header:x-user-id, ip] }
`;

/** What holds for every key; the tables follow it. */
export const REFERENCE_INTRO = `# Configuration reference

<!-- Generated from src/config/schema.ts; a test compares. To change it, change the schema. -->

A gateway reads one YAML file. \`coalmine validate FILE\` checks it and tells every problem with its line,
column, key path and remedy. While the gateway runs, saving the file is enough: a sound file takes effect
within a second, a broken one is refused as a whole and the running configuration stays.

\`\`\`yaml
${REFERENCE_EXAMPLE}\`\`\`

Editors that speak JSON Schema complete and check keys with \`config/coalmine.schema.json\`
(\`coalmine schema\` prints it).

## Values

| form | written as |
|---|---|
| duration | a number with its unit: \`500ms\`, \`2s\`, \`1.5s\`, \`5m\`, \`1h\`, \`30d\` |
| duration of a rollout | as Argo Rollouts takes them: also several units, \`1h30m\`, and plain seconds, \`300\` or \`"300"\` |
| size | a number with its unit: \`512B\`, \`64KiB\`, \`1MiB\`, \`1GiB\` (1024), \`64KB\`, \`10MB\`, \`1GB\` (1000) |
| percentage | a plain number from 0 to 100 with two decimals at most: \`5\`, \`0.25\` |
| name | letters, digits and \`.\` \`_\` \`-\` between them, 63 characters at most |
| pattern | [RE2 syntax](https://github.com/google/re2/wiki/Syntax), ${MAX_PATTERN_CHARS} characters at most, found anywhere unless anchored with \`^\` and \`$\`; it runs in linear time and never matches a text over ${MAX_PATTERN_TEXT_CHARS} characters |
| file name | relative to the folder of the configuration file |

**The environment.** \`\${NAME}\` in a value is replaced by that environment variable, \`\${NAME:-default}\` by the
default where it is unset or empty; an unset one without default is refused. Write \`$\${\` for a plain \`\${\`.
Inside \`{ … }\` and \`[ … ]\` YAML wants such a value in quotes. What comes from the environment is text, and
becomes a number or a switch where the key wants one. Keys are never replaced.

**YAML.** Version 1.2, one document, UTF-8, 1 MiB at most. Anchors and aliases work; merge keys (\`<<\`), tags and
repeated keys are refused. Text that looks like a number or a switch needs quotes where text is wanted.

**Reloading.** The file and every file it names are watched, also through Kubernetes' ConfigMap and Secret mounts
(not those with a \`subPath\`, which Kubernetes itself never updates). \`listen\`, \`limits\`, the keys of \`admin\`, \`state.dir\`, and
turning \`tls\` on or off take effect at the next start.

In the tables \`NAME\` stands for a name of your choice and \`[]\` for each item of a list.
`;
