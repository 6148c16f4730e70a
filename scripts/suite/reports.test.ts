import { expect, test } from 'vitest';
import { readJunit } from './reports.ts';

// A report in the format of pytest 9.
const JUNIT = `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="3" tests="6" time="0.038" timestamp="2026-11-28T19:12:40+00:00" hostname="here"><testcase classname="agent.tests.test_a" name="test_well" time="0.000" /><testcase classname="agent.tests.test_a" name="test_root" time="0.000"><skipped type="pytest.skip" message="needs root, &quot;to become&quot; &lt;somebody&gt; else&#10;here">/agent/tests/test_a.py:7: needs root</skipped></testcase><testcase classname="agent.tests.test_a" name="test_bad[a&amp;b]" time="0.001"><failure message="assert 0">def test_bad(): &lt;skipped message="no"&gt;</failure></testcase><testcase classname="" name="agent.tests.test_b" time="0.000"><skipped type="pytest.skip" message="could not import 'gunicorn'">('/agent/tests/test_b.py', 11, "Skipped: could not import")</skipped></testcase><testcase classname="agent.tests.test_a" name="test_quiet" time="0.000"><skipped type="pytest.skip" message="">x</skipped></testcase><testcase classname="agent.tests.test_a" name="test_last" time="0.000" /></testsuite></testsuites>`;

test('tests that were skipped have their reasons, and a file that was left out is one of them', () => {
  expect(readJunit(JUNIT)).toEqual({
    passed: 2,
    failed: 1,
    skips: [
      { test: 'agent.tests.test_a > test_root', reason: 'needs root, "to become" <somebody> else\nhere' },
      { test: 'agent.tests.test_b', reason: "could not import 'gunicorn'" },
      { test: 'agent.tests.test_a > test_quiet', reason: null },
    ],
  });
});
