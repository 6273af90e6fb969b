from django.db import migrations

#: Everything an event says in clear, and its place in the chain; the digest is over what
#: `detail` says, so sealing that with another key changes nothing that was said.
KEPT = " OF id, at, by_id, action, subject, subject_id, number, division_code, digest"


def put_guard(schema_editor, columns):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER trail_kept ON outreach_auditevent")
        schema_editor.execute(
            f"CREATE TRIGGER trail_kept BEFORE UPDATE{columns} OR DELETE ON outreach_auditevent"
            " FOR EACH ROW WHEN (OLD.number IS NOT NULL) EXECUTE FUNCTION outreach_keep_trail()"
        )
    else:
        schema_editor.execute("DROP TRIGGER trail_unchanged")
        schema_editor.execute(
            f"CREATE TRIGGER trail_unchanged BEFORE UPDATE{columns} ON outreach_auditevent"
            " WHEN OLD.number IS NOT NULL"
            " BEGIN SELECT RAISE(ABORT, 'a numbered event of the trail is never changed'); END"
        )


def let_it_be_resealed(apps, schema_editor):
    """Let a rotation of the sealing key seal an event's detail anew, and still nothing else."""
    put_guard(schema_editor, KEPT)


def keep_it_whole(apps, schema_editor):
    put_guard(schema_editor, "")


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0009_family_outlets_fast_lane'),
    ]

    operations = [
        migrations.RunPython(let_it_be_resealed, keep_it_whole),
    ]
