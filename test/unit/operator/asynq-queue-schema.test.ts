import { describe, expect, it } from 'vitest';
import { AsynqQueueSchema } from '../../../src/operator/asynq-queue-schema.ts';
import { pathText } from '../../../src/operator/structural-schema.ts';
import { manifestCases } from '../../support/manifest-cases.ts';

const schema = AsynqQueueSchema.load();
const cases = manifestCases();

describe('the CRD without an API server', () => {
  it.each(cases.filter(({ refused }) => refused === undefined))(
    'accepts $name',
    ({ object, before, defaulted }) => {
      const { value, violations } = schema.judge(object, before);
      expect(violations).toEqual([]);
      expect(value).toMatchObject({ spec: defaulted ?? {} });
    },
  );

  it.each(cases.filter(({ refused }) => refused !== undefined))(
    'refuses $name',
    ({ object, before, refused }) => {
      const { violations } = schema.judge(object, before);
      expect(violations.map(({ path }) => pathText(path)).toSorted()).toEqual(refused?.toSorted());
    },
  );
});
