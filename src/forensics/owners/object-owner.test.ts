import { expect, test } from 'vitest';
import { address, CAPTURED_VERSIONS } from '../../cpython/samples/captured-process.ts';
import { objectOwner, saysItsModule } from './object-owner.ts';
import { openCapture, windowAt } from '../samples/captured-interpreter.ts';

test.each(CAPTURED_VERSIONS)('functions, modules and classes of %s name their module', (version) => {
  const { captured, interpreter } = openCapture(version);
  const { facts } = captured;
  const typeNamed = (name: string) => interpreter.types.at(address(facts.types[name]!.address))!;
  const owner = (type: string, object: number): unknown => {
    const found = typeNamed(type);
    return objectOwner(found, object - found.prefixBytes, windowAt(captured, object), interpreter);
  };
  expect(owner('function', address(facts.function))).toEqual({ module: 'shop.views', type: 'function' });
  expect(owner('module', address(facts.module))).toEqual({ module: 'shop.data', type: 'module' });
  expect(owner('type', address(facts.types['Point']!.address))).toEqual({ module: 'shop.geometry', type: 'type' });
  const model = address(facts.types['Model']!.address);
  expect(owner('ModelMeta', model)).toEqual({ module: 'shop.models', type: 'ModelMeta' });
  expect(owner('dict', model)).toEqual({ module: null, type: 'dict' });
  expect(owner('Row', model)).toEqual({ module: 'shop.data', type: 'Row' });
  const names = Object.keys(facts.types).filter((name) => saysItsModule(typeNamed(name)));
  expect(names.toSorted()).toEqual(['ModelMeta', 'code', 'function', 'module', 'type']);
});
