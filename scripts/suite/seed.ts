/**
 * Property tests take a new seed in each run, so that each run tries other cases. A test that fails prints its seed,
 * and COWHERD_SEED=… repeats it. A failing case that was found stays in the test as an example.
 */
import process from 'node:process';

const seed = process.env['COWHERD_SEED'];
if (seed !== undefined && seed !== '') {
  // Imported only when needed: most files have no property tests.
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}
