import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openApiDocument } from '../../src/admin/openapi/document.ts';
import type { Answer, Ask } from './support.ts';

/** Holds answers against the description of the admin API, which may say neither less nor more. */

type Node = Readonly<Record<string, unknown>>;

export interface Described {
  readonly id: string;
  readonly method: string;
  /** As OpenAPI writes it. */
  readonly path: string;
  readonly statuses: readonly number[];
  readonly hasBody: boolean;
  /** Only those with the token are answered. */
  readonly guarded: boolean;
}

export class Description {
  readonly document = openApiDocument() as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Node>>>>;
    readonly components: {
      readonly schemas: Readonly<Record<string, Node>>;
      readonly responses: Readonly<Record<string, { readonly content?: Node }>>;
    };
  };
  readonly operations: readonly Described[];
  /** `getService 200`, … that were answered so and checked. */
  readonly seen = new Set<string>();
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });
  readonly #checks = new Map<string, ValidateFunction>();

  constructor() {
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    this.#ajv.addSchema(strict(this.document) as object, 'api');
    this.operations = Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        id: String(operation.operationId),
        method: method.toUpperCase(),
        path,
        statuses: Object.keys(operation.responses as Node).map(Number),
        hasBody: 'requestBody' in operation,
        guarded: '401' in (operation.responses as Node),
      })),
    );
  }

  operation(id: string): Described {
    const found = this.operations.find((one) => one.id === id);
    if (found === undefined) throw new Error(`there is no operation ${id}`);
    return found;
  }

  /** What the description does not allow of an answer; null: it is as described. */
  fault(id: string, answer: Answer): string | null {
    const { method, path } = this.operation(id);
    const operation = this.document.paths[path]?.[method.toLowerCase()] as Node;
    const here = (operation.responses as Node)[answer.status];
    const at = ['paths', path, method.toLowerCase(), 'responses', String(answer.status)];
    const { told, place } = this.#response(here as Node | undefined, at);
    const what = `${id} ${answer.status}`;
    if (told === undefined) return `${what} is not described: ${answer.text.slice(0, 300)}`;
    const type = String(answer.headers['content-type']).split(';')[0] as string;
    if (told.content?.[type] === undefined) return `${what}: ${type} is not described`;
    this.seen.add(what);
    if (type !== 'application/json') return null;
    const check = this.#check([...place, 'content', type, 'schema']);
    if (check(answer.json())) return null;
    return `${what}: ${JSON.stringify(check.errors?.slice(0, 5))} in ${answer.text.slice(0, 1_000)}`;
  }

  /** A response, or the one that it refers to. */
  #response(
    here: Node | undefined,
    at: readonly string[],
  ): { readonly told: { readonly content?: Node } | undefined; readonly place: readonly string[] } {
    if (typeof here?.$ref !== 'string') return { told: here, place: at };
    const name = here.$ref.slice('#/components/responses/'.length);
    return { told: this.document.components.responses[name], place: ['components', 'responses', name] };
  }

  /** What the description does not allow of a request's body. */
  bodyFault(id: string, body: unknown): string | null {
    const { method, path } = this.operation(id);
    const at = ['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'];
    const check = this.#check(at);
    return check(body) ? null : JSON.stringify(check.errors?.slice(0, 3));
  }

  /** Whether a value is as one of the named schemas says. */
  schemaFault(name: string, value: unknown): string | null {
    const check = this.#check(['components', 'schemas', name]);
    return check(value) ? null : `${name}: ${JSON.stringify(check.errors?.slice(0, 5))}`;
  }

  #check(at: readonly string[]): ValidateFunction {
    const pointer = at
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const held = this.#checks.get(pointer);
    if (held !== undefined) return held;
    const made = this.#ajv.compile({ $ref: `api#/${pointer}` });
    this.#checks.set(pointer, made);
    return made;
  }
}

/** What is not described is not there: so that an answer may not hold more than the description says. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  const isOpen =
    copy.type === 'object' && copy.properties !== undefined && copy.additionalProperties === undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

/** A path with the name of a service in it, and what follows. */
export function urlOf({ path }: Described, name: string, query = ''): string {
  return `${path.replace('{name}', name)}${query}`;
}

export type Asker = (path: string, options?: Ask) => Promise<Answer>;
