/** What a terminal shows after it was sent something: enough of one for what the live view sends. */
export interface Shown {
  /** From the first line ever written, so that what scrolls off is kept. */
  readonly lines: readonly string[];
  readonly cursorVisible: boolean;
  /** Whether any colour was asked for. */
  readonly coloured: boolean;
}

const ESC = String.fromCharCode(27);
const PARTS = new RegExp(`${ESC}\\[\\??\\d*[A-Za-z]|.`, 'gsu');
const SEQUENCE = new RegExp(`^${ESC}\\[\\??(\\d*)([A-Za-z])$`);

export function terminalAfter(text: string): Shown {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  let cursorVisible = true;
  let coloured = false;
  for (const [part] of text.matchAll(PARTS)) {
    const sequence = SEQUENCE.exec(part);
    if (sequence !== null) {
      const [, number = '', letter] = sequence;
      if (letter === 'A') row -= Number(number);
      else if (letter === 'K') lines[row] = (lines[row] ?? '').slice(0, column);
      else if (letter === 'J') {
        lines.length = row + 1;
        lines[row] = (lines[row] ?? '').slice(0, column);
      } else if (letter === 'h' || letter === 'l') cursorVisible = letter === 'h';
      else if (letter === 'm') coloured = true;
      else throw new Error(`an escape sequence that the live view has no use for: ${JSON.stringify(part)}`);
      if (row < 0) throw new Error('the cursor went above the first line');
    } else if (part === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else if (part === '\r') column = 0;
    else {
      const line = [...(lines[row] ?? '')];
      line[column++] = part;
      lines[row] = line.join('');
    }
  }
  return { lines, cursorVisible, coloured };
}
