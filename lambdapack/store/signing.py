"""Signs entries of a shared store, and proves who wrote them: ed25519, by keys that lie outside of the store."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdapack.errors.build import BAD_STORE
from lambdapack.errors.record import LambdapackError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

UNSIGNED: Final = "-"

KEY_ID_DIGITS: Final = 16
"""Hexadecimal digits by which a signature names its key; the signature itself proves it."""

INSTALL_HINT: Final = "Install the package that signs: `pip install 'lambdapack[signing]'`."


@dataclass(frozen=True, slots=True)
class StoreKeys:
    """Who is believed, and what signs. Both empty: the place itself is trusted."""

    trusted: Sequence["Ed25519PublicKey"] = ()
    signing: "Ed25519PrivateKey | None" = None

    @property
    def demands_signature(self) -> bool:
        """Tell whether only signed entries count."""
        return bool(self.trusted)

    def sign(self, data: bytes) -> str:
        """Return the name of the key and a signature, in one line."""
        if self.signing is None:
            return UNSIGNED
        return f"{_key_id(self.signing.public_key())}:{base64.b64encode(self.signing.sign(data)).decode()}"

    def is_trusted(self, data: bytes, signature: str) -> bool:
        """Tell whether a trusted key signed the data; True for anything where no signature is demanded."""
        if not self.demands_signature:
            return True
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # only where keys are set

        try:
            signed = base64.b64decode(signature.partition(":")[2], validate=True)
        except ValueError:
            return False
        for key in self.trusted:
            try:
                key.verify(signed, data)
            except InvalidSignature:
                continue
            return True
        return False


def read_store_keys(trusted: Sequence[Path], signing: Path | None) -> StoreKeys:
    """Return the keys of PEM files. LP131 for a file that is none, or without the package that reads them."""
    if not trusted and signing is None:
        return StoreKeys()
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # an extra of its own
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError as error:
        detail = "keys of the store are set, and `cryptography` is missing"
        raise LambdapackError(BAD_STORE, detail, hint=INSTALL_HINT) from error

    def read(path: Path, load: Any, kind: type) -> Any:
        hint = "Make a pair: `openssl genpkey -algorithm ed25519 -out store.key && openssl pkey -in store.key -pubout`."
        try:
            key = load(path.read_bytes())
        except OSError as error:
            raise LambdapackError(BAD_STORE, f"{path}: {error.strerror or error}", hint=hint) from error
        except (ValueError, TypeError) as error:
            raise LambdapackError(BAD_STORE, f"{path} is no PEM file of such a key: {error}", hint=hint) from error
        if not isinstance(key, kind):
            raise LambdapackError(BAD_STORE, f"{path} is no ed25519 key", hint=hint)
        return key

    private = None
    if signing is not None:
        load_private = lambda data: serialization.load_pem_private_key(data, None)  # noqa: E731  # a password is none
        private = read(signing, load_private, ed25519.Ed25519PrivateKey)
    public = tuple(read(path, serialization.load_pem_public_key, ed25519.Ed25519PublicKey) for path in trusted)
    return StoreKeys(public, private)


def _key_id(key: "Ed25519PublicKey") -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:KEY_ID_DIGITS]
