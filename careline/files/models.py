"""One row per distinct content in a workspace. Its key is wrapped by the installation key; dropping the key erases the file everywhere."""

from __future__ import annotations

from django.db import models

from careline.kit import clock, ids


class StoredFile(models.Model):
    """Bytes live under DATA/files/<workspace>/<first two of sha>/<sha>-<mark of the key>; `content_type` was found in the content, never believed."""

    id = models.BigIntegerField(primary_key=True, default=ids.new_id)
    workspace_id = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    content_type = models.CharField(max_length=100)
    width_px = models.IntegerField(null=True)
    height_px = models.IntegerField(null=True)
    wrapped_key = models.BinaryField()
    reference_count = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "sha256"], name="file_content")]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(reference_count__lte=0, erased_at__isnull=True),
                name="file_unreferenced",
            )
        ]
