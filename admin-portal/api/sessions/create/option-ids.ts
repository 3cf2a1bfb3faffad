import type { SessionOption } from '#common/contracts/session.ts';
import type { OptionForm } from './contract.ts';

const slugLengthMax = 48;

/**
 * Options with an id each: the one given, else one made from the label, made different from all
 * others by a number. Gives the first id that was given twice instead.
 */
export function withOptionIds(
  forms: readonly OptionForm[],
): { readonly options: SessionOption[] } | { readonly twice: string } {
  const taken = new Set<string>();
  for (const { option_id } of forms) {
    if (option_id === undefined) continue;
    if (taken.has(option_id)) return { twice: option_id };
    taken.add(option_id);
  }
  const options = forms.map(({ option_id, label }, index): SessionOption => {
    if (option_id !== undefined) return { option_id, label };
    const id = firstFree(slug(label) || `option-${index + 1}`, taken);
    taken.add(id);
    return { option_id: id, label };
  });
  return { options };
}

function firstFree(wish: string, taken: ReadonlySet<string>): string {
  let id = wish;
  for (let number = 2; taken.has(id); number++) id = `${wish}-${number}`;
  return id;
}

/** Letters and digits of the label, accents dropped; empty for scripts that have neither. */
function slug(label: string): string {
  return label
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, slugLengthMax)
    .replaceAll(/^-+|-+$/g, '');
}
