"""Makes a table with a dataset, charts and a dashboard, with Superset's own models."""

import json

from superset.app import create_app

app = create_app()
with app.app_context():
    from flask import g
    from sqlalchemy import text
    from superset import db, security_manager
    from superset.connectors.sqla.models import SqlaTable, SqlMetric
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    g.user = security_manager.find_user("admin")
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE sale (day date, country text, amount integer)"))
        connection.execute(
            text(
                "INSERT INTO sale SELECT date '2025-01-01' + n % 300, "
                "(ARRAY['Chad', 'Peru', 'Fiji', 'Oman'])[1 + n % 4], n * 37 % 1000 "
                "FROM generate_series(1, 5000) AS n"
            )
        )
    database = Database(
        database_name="sales",
        sqlalchemy_uri=app.config["SQLALCHEMY_DATABASE_URI"],
        expose_in_sqllab=True,
    )
    db.session.add(database)
    db.session.commit()
    table = SqlaTable(table_name="sale", schema="public", database=database, owners=[g.user])
    db.session.add(table)
    db.session.commit()
    table.fetch_metadata()
    table.metrics.append(SqlMetric(metric_name="total", expression="SUM(amount)"))
    db.session.commit()
    charts = []
    for number, kind in enumerate(["table", "pie", "big_number_total", "dist_bar"]):
        chart = Slice(
            slice_name=f"Chart {number}",
            viz_type=kind,
            datasource_id=table.id,
            datasource_type="table",
            owners=[g.user],
            params=json.dumps(
                {
                    "datasource": f"{table.id}__table",
                    "viz_type": kind,
                    "groupby": ["country"],
                    "metrics": ["total"],
                    "metric": "total",
                    "row_limit": 100,
                }
            ),
        )
        charts.append(chart)
    dashboard = Dashboard(
        dashboard_title="Sales: Übersicht",
        slug="sales",
        slices=charts,
        owners=[g.user],
        published=True,
    )
    db.session.add(dashboard)
    db.session.commit()
