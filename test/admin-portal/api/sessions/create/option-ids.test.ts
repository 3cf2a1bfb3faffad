import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSessionForm } from '../../../../../admin-portal/api/sessions/create/contract.ts';
import { withOptionIds } from '../../../../../admin-portal/api/sessions/create/option-ids.ts';

function ids(...labels: string[]): unknown {
  const named = withOptionIds(labels.map((label) => ({ label })));
  return 'options' in named ? named.options.map(({ option_id }) => option_id) : named;
}

test('makes an id from a label', () => {
  expect(ids('Été à Paris', ' R2-D2! ', 'x'.repeat(80))).toEqual([
    'ete-a-paris',
    'r2-d2',
    'x'.repeat(48),
  ]);
});

test('numbers labels that give the same id, and those that give none', () => {
  expect(ids('Yes', 'yes', 'YES!', 'نعم', 'لا')).toEqual([
    'yes',
    'yes-2',
    'yes-3',
    'option-4',
    'option-5',
  ]);
});

test('an id that was given is never taken by one that is made', () => {
  const named = withOptionIds([{ label: 'Yes' }, { option_id: 'yes', label: 'No' }]);
  expect(named).toEqual({
    options: [
      { option_id: 'yes-2', label: 'Yes' },
      { option_id: 'yes', label: 'No' },
    ],
  });
});

test('an id given twice is told', () => {
  const twice = [
    { option_id: 'a', label: 'A' },
    { option_id: 'a', label: 'B' },
  ];
  expect(withOptionIds(twice)).toEqual({ twice: 'a' });
});

test('every id is different and one that the contract would take', () => {
  const idField = createSessionForm.shape.options.element.shape.option_id;
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 100 }),
      (labels) => {
        const made = ids(...labels) as string[];
        expect(new Set(made).size).toBe(labels.length);
        for (const id of made) expect(idField.safeParse(id).success).toBe(true);
      },
    ),
  );
});
