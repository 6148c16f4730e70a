/** MLflow's tracking server: the Flask application that `mlflow server --gunicorn-opts` serves. */
import type { Application } from '../lib/description.ts';
import { json, type Visitor } from '../lib/visitor.ts';

const API = '/api/2.0/mlflow';

export const application: Application = {
  name: 'mlflow',
  title: 'MLflow',
  python: '3.13',
  requirements: ['mlflow', 'gunicorn'],
  services: [],
  environment: ({ folder }) => ({
    // mlflow.server._run_server passes its options to the workers in these variables.
    _MLFLOW_SERVER_FILE_STORE: `sqlite:///${folder}/mlflow.db`,
    _MLFLOW_SERVER_REGISTRY_STORE: `sqlite:///${folder}/mlflow.db`,
    _MLFLOW_SERVER_ARTIFACT_ROOT: `${folder}/artifacts`,
    _MLFLOW_SERVER_SERVE_ARTIFACTS: 'true',
    _MLFLOW_SERVER_ARTIFACT_DESTINATION: `${folder}/artifacts`,
    MLFLOW_DISABLE_TELEMETRY: 'true',
  }),
  filling: () => [['python', 'fill.py']],
  module: 'mlflow.server:app',
  serverArguments: ['--threads', '2'],
  workers: 4,
  readyPath: '/health',
  startPaths: [
    '/',
    '/health',
    '/version',
    `${API}/experiments/get?experiment_id=1`,
    `${API}/experiments/get?experiment_id=99`,
    `${API}/experiments/get-by-name?experiment_name=experiment%202`,
    `${API}/experiments/search?max_results=10`,
    `${API}/registered-models/get?name=classifier`,
    `${API}/registered-models/get?name=nothing`,
    `${API}/registered-models/search?max_results=5`,
    `${API}/registered-models/alias?name=classifier&alias=best`,
    `${API}/model-versions/get?name=classifier&version=1`,
    `${API}/model-versions/search?max_results=5`,
    `/ajax-api/2.0/mlflow/experiments/search?max_results=3`,
    '/get-artifact?path=notes&run_uuid=nothing',
    '/nowhere',
  ],
  crawlLimit: 60,
  act: async (visitor) => {
    const search = { experiment_ids: ['1', '2', '3'], max_results: 5, order_by: ['metrics.loss ASC'] };
    const found = await visitor.post(`${API}/runs/search`, json(search));
    const { runs } = JSON.parse(found.body.toString()) as { runs: { info: { run_id: string } }[] };
    for (const { info } of runs) await lookAtRun(visitor, info.run_id);
    const made = await visitor.post(`${API}/experiments/create`, json({ name: 'by a visitor' }));
    const { experiment_id } = JSON.parse(made.body.toString()) as { experiment_id: string };
    await visitor.post(`${API}/experiments/create`, json({ name: 'by a visitor' }));
    const started = await visitor.post(
      `${API}/runs/create`,
      json({ experiment_id, start_time: 1_700_000_000_000, run_name: 'mine' }),
    );
    const { run } = JSON.parse(started.body.toString()) as { run: { info: { run_id: string } } };
    const run_id = run.info.run_id;
    await visitor.post(`${API}/runs/log-parameter`, json({ run_id, key: 'depth', value: '3' }));
    await visitor.post(
      `${API}/runs/log-metric`,
      json({ run_id, key: 'loss', value: 0.25, timestamp: 1_700_000_000_000, step: 1 }),
    );
    const metrics = [{ key: 'a', value: 1.5, timestamp: 1_700_000_000_000, step: 0 }];
    await visitor.post(
      `${API}/runs/log-batch`,
      json({ run_id, metrics, params: [{ key: 'x', value: '1' }], tags: [] }),
    );
    await visitor.post(`${API}/runs/update`, json({ run_id, status: 'FINISHED', end_time: 1_700_000_100_000 }));
    await lookAtRun(visitor, run_id);
    await visitor.send('PUT', `/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/a.txt`, {
      type: 'text/plain',
      content: Buffer.from('an artifact\n'),
    });
    await visitor.get(`/api/2.0/mlflow-artifacts/artifacts/${experiment_id}/a.txt`);
    await visitor.post(`${API}/registered-models/create`, json({ name: 'another', description: 'by a visitor' }));
    await visitor.send('PATCH', `${API}/registered-models/update`, json({ name: 'another', description: 'changed' }));
    await visitor.send('DELETE', `${API}/registered-models/delete`, json({ name: 'another' }));
    await visitor.post(`${API}/experiments/delete`, json({ experiment_id }));
    await visitor.post(
      '/graphql',
      json({ query: '{ mlflowGetExperiment(input: {experimentId: "1"}) { experiment { name } } }' }),
    );
    await visitor.post(`${API}/runs/search`, json({ experiment_ids: 'not a list' }));
  },
  loadPerSecond: 8,
};

async function lookAtRun(visitor: Visitor, runId: string): Promise<void> {
  await visitor.get(`${API}/runs/get?run_id=${runId}`);
  await visitor.get(`${API}/metrics/get-history?run_id=${runId}&metric_key=loss`);
  await visitor.get(`${API}/artifacts/list?run_id=${runId}`);
}
