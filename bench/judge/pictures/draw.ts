import { evidencePicture } from './evidence.ts';
import { exposedPicture } from './exposed.ts';
import { looksPicture } from './looks.ts';

/** All charts by file name. The same page gives the same bytes. */
export function drawAll(page: string): ReadonlyMap<string, string> {
  return new Map([
    ['statistics-evidence.svg', evidencePicture()],
    ['statistics-looks.svg', looksPicture()],
    ['statistics-exposed.svg', exposedPicture(page)],
  ]);
}
