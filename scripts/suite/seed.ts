/**
 * Property tests take a new seed in each run, so that each run looks at other cases. A test that fails prints its seed;
 * COWHERD_SEED=… takes that one again. What was found once stays, as an example in the test.
 */
import process from 'node:process';

const seed = process.env['COWHERD_SEED'];
if (seed !== undefined && seed !== '') {
  // Only then: most files have no property.
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}
