-- Who uses the database and who may change its schema are not the same: functions sign in as cryptowatch_app, workers as
-- cryptowatch_worker, and only the owner, as whom control migrates, makes, alters or drops anything.
DO $$
DECLARE
    role text;
    routine regprocedure;
BEGIN
    FOREACH role IN ARRAY ARRAY['cryptowatch_app', 'cryptowatch_worker'] LOOP
        -- Roles belong to the server: another database of it, or its administrator, may have made them.
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            -- Without a password: on RDS they sign in by token, elsewhere as the administrator lets them.
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
            EXECUTE format('GRANT rds_iam TO %I', role);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), role);
        EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', current_schema(), role);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON schema_version FROM %I', role);
        -- What the owner makes later: the tables of later migrations, and partitions.
        EXECUTE format('ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', role);
        EXECUTE format('ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO %I', role);
    END LOOP;
    -- Only the sweep drops partitions, so only functions may.
    FOR routine IN SELECT oid FROM pg_proc WHERE proname = 'drop_candle_partition' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cryptowatch_app', routine);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    -- An existing database whose owner may not make roles: everybody goes on signing in by its secret.
    RAISE WARNING 'no roles of their own for functions and workers: % (%)', SQLERRM, current_user;
END
$$;
