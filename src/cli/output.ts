export const OUTPUT_FORMATS = ['table', 'json', 'yaml'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The answer of a command: `data` for programs, `text` for people, made only when asked for. */
export interface Answer {
  readonly data: unknown;
  readonly text: () => string;
}

/** The answer in the format asked for, ending in a line break unless empty; JSON on one line, for `jq` and for logs. */
export async function renderAnswer(answer: Answer, format: OutputFormat): Promise<string> {
  if (format === 'table') return answer.text();
  if (format === 'json') return `${JSON.stringify(answer.data)}\n`;
  const { stringify } = await import('yaml');
  return stringify(answer.data, { lineWidth: 0 });
}
