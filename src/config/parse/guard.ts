import { type CST, Lexer, type LineCounter, Parser } from 'yaml';

/**
 * Bounds on what the YAML library is given to compose. Its composer recurses,
 * and near the end of the stack a regular expression that V8 must still compile
 * kills the whole process, so nesting is bounded before, not caught after.
 * Composing costs some microseconds a token; the token limit bounds that.
 */
export const MAX_FILE_BYTES = 1_048_576;
const MAX_LEXEMES = 400_000;
const MAX_FLOW_DEPTH = 32;
const MAX_INDENT = 128;
/** `- - - x` nests once for each indicator without any indentation; so does the invalid `a: b: c: x`. */
const MAX_INDICATORS_A_LINE = 16;
/** Told are the first; composing what follows them costs time for nothing. */
const MAX_ERRORS = 50;
/** Directives and document ends; a sound file has none or one. */
const MAX_MARKERS = 50;

/** The file asks for more than we are willing to read. */
export class LimitError extends Error {
  readonly offset: number;
  readonly fix: string;

  constructor(offset: number, message: string, fix: string) {
    super(message);
    this.offset = offset;
    this.fix = fix;
  }
}

/**
 * The tokens of a YAML text, for a Composer. Ends early after many errors, which
 * the document then holds. Throws a LimitError at the first bound that is passed.
 */
export function* guardedTokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  const watch = new NestingWatch();
  let lexemes = 0;
  let errors = 0;
  let markers = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > MAX_LEXEMES || markers > MAX_MARKERS) {
      throw new LimitError(parser.offset, 'the file is too large', 'split it over several gateways');
    }
    watch.see(lexeme, parser.offset);
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') errors += 1;
      else if (token.type === 'directive' || token.type === 'doc-end') markers += 1;
      yield token;
    }
    if (errors > MAX_ERRORS) return;
  }
  yield* parser.end();
}

/** Follows the lexemes and bounds the nesting they can lead to. */
class NestingWatch {
  private flowDepth = 0;
  private indicators = 0;
  private indent = 0;
  private atLineStart = true;

  see(lexeme: string, offset: number): void {
    const first = lexeme[0];
    if (first === '\n' || first === '\r') {
      this.atLineStart = true;
      this.indicators = 0;
      this.indent = 0;
      return;
    }
    if (this.atLineStart && first === ' ') {
      this.indent = lexeme.length;
      return;
    }
    if (this.atLineStart && first !== '#' && this.indent > MAX_INDENT) throw tooDeep(offset);
    this.atLineStart = false;
    if (lexeme.length > 1) return;
    if (first === '[' || first === '{') this.flowDepth += 1;
    else if (first === ']' || first === '}') this.flowDepth = Math.max(0, this.flowDepth - 1);
    else if (first === '-' || first === '?' || (first === ':' && this.flowDepth === 0)) this.indicators += 1;
    if (this.flowDepth > MAX_FLOW_DEPTH || this.indicators > MAX_INDICATORS_A_LINE) throw tooDeep(offset);
  }
}

function tooDeep(offset: number): LimitError {
  return new LimitError(offset, 'the file nests too deeply', 'no key of the configuration stands that deep');
}
