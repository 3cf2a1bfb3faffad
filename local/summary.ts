import type { StackFile } from './stack-file.ts';

/** What a human needs to know when the stack is ready. */
export function summary(stack: StackFile): string {
  const { demo, regions } = stack;
  const lines = [
    '',
    '  Ready.',
    '',
    `  Vote        ${stack.edge}/?session=${demo.session_id}`,
    `  Portal      ${stack.portal}   ${demo.admin.email}  ${demo.admin.password}`,
    `  Mailbox     ${stack.mailbox}`,
    ...(regions.length > 1 ? regions.map(({ name, url }) => `  ${name.padEnd(11)} ${url}`) : []),
    '',
    '  End it with Ctrl-C or npm stop.',
    '',
    '',
  ];
  return lines.join('\n');
}
