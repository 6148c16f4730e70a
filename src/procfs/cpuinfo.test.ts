import { expect, test } from 'vitest';
import { parseCpuInfo } from './cpuinfo.ts';

test('the first processor, and nothing where there is nothing', () => {
  const text =
    'processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9R14\n\nprocessor\t: 1\nmodel name\t: other\n';
  expect(parseCpuInfo(text)).toEqual({ model: 'AMD EPYC 9R14', family: '25' });
  expect(parseCpuInfo('processor\t: 0\nBogoMIPS\t: 243.75\n')).toEqual({ model: '', family: '' });
});
